/** Environments, by their ids. */
import type { Db } from '../client.ts';

/** Null when there is none of this id, or it was removed. */
export async function findEnvironmentName(db: Db, id: string): Promise<string | null> {
  const row = await db.environment.findFirst({ where: { id, removedAt: null }, select: { name: true } });
  return row?.name ?? null;
}
