/** Environments, by their ids. */
import type { Db } from '../client.ts';

/** Null when there is none of this id, or it was removed. */
export async function findEnvironmentName(db: Db, id: string): Promise<string | null> {
  const row = await db.environment.findFirst({ where: { id, removedAt: null }, select: { name: true } });
  return row?.name ?? null;
}

/** Of the services that are not removed. */
export async function serviceNames(db: Db, environmentId: string): Promise<string[]> {
  const where = { environmentId, removedAt: null };
  const rows = await db.service.findMany({ where, select: { name: true }, orderBy: { name: 'asc' } });
  return rows.map(({ name }) => name);
}
