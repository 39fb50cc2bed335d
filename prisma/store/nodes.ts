/** Nodes: who they are, and that what is expected of them has changed. */
import type { Db } from '../client.ts';

/**
 * Says that the expected state of these nodes, or the work offered to them, has changed: their generation goes forward and,
 * when the transaction commits, their long polls wake. Rows are taken in the order of their ids, so that two writers never deadlock.
 */
export async function bumpNodes(db: Db, nodeIds: readonly string[]): Promise<void> {
  const ids = [...new Set(nodeIds)].sort();
  if (ids.length === 0) return;
  await db.$executeRaw`
    WITH locked AS (SELECT id FROM "Node" WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR NO KEY UPDATE), bumped AS (
      UPDATE "Node" SET generation = generation + 1 FROM locked WHERE "Node".id = locked.id RETURNING "Node".id)
    SELECT pg_notify('landfall', 'node:' || id) FROM bumped`;
}
