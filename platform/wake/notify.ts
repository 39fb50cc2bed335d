/** Says that the rows of a topic changed: within a transaction, it is heard when that commits, and not at all when it does not. */

/** PostgreSQL's channel of all topics; the payload is the topic. */
export const channel = 'landfall';

export interface Statement {
  text: string;
  values: unknown[];
}

/** For pg, or as a part of a larger statement written by hand. */
export function notifySql(topics: readonly string[]): Statement {
  return {
    text: `SELECT pg_notify('${channel}', topic) FROM unnest($1::text[]) AS topic`,
    values: [[...new Set(topics)]],
  };
}

/** What is used of Prisma's client or of one transaction of it. */
export interface RawExecutor {
  $executeRawUnsafe(query: string, ...values: unknown[]): PromiseLike<number>;
}

export async function notify(db: RawExecutor, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return;
  const { text, values } = notifySql(topics);
  await db.$executeRawUnsafe(text, ...values);
}
