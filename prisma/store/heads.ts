/** The ledger of heads: what was pushed where, in the order in which the bot itself saw it arrive. */
import type { Db } from '../client.ts';

export interface NewHead {
  repositoryId: number;
  /** Full ref, `refs/heads/main`. */
  ref: string;
  before: string;
  /** Forty zeros when the ref was deleted. */
  after: string;
  forced: boolean;
  deliveryGuid: string;
  arrivedAt: Date;
}

export interface Head {
  before: string;
  after: string;
}

/** Recording the same delivery twice records it once. */
export async function recordHead(db: Db, head: NewHead): Promise<void> {
  const { before, after, ...columns } = head;
  await db.head.createMany({ data: [{ ...columns, beforeSha: before, sha: after }], skipDuplicates: true });
}

/** Far more than deliveries are ever reordered by. */
const remembered = 50;

/** The last arrivals on a ref but for this delivery, oldest first. */
export async function otherHeads(
  db: Db,
  head: Pick<NewHead, 'repositoryId' | 'ref' | 'deliveryGuid'>,
): Promise<Head[]> {
  const rows = await db.head.findMany({
    where: { repositoryId: head.repositoryId, ref: head.ref, deliveryGuid: { not: head.deliveryGuid } },
    orderBy: [{ arrivedAt: 'desc' }, { id: 'desc' }],
    take: remembered,
    select: { beforeSha: true, sha: true },
  });
  return rows.reverse().map(({ beforeSha, sha }) => ({ before: beforeSha, after: sha }));
}

/** What a delivery told of; null when that was not written down. */
export async function headOfDelivery(db: Db, repositoryId: number, deliveryGuid: string): Promise<string | null> {
  const row = await db.head.findFirst({ where: { repositoryId, deliveryGuid }, select: { sha: true } });
  return row?.sha ?? null;
}
