/** Deletes what is older than it is kept (core/retention), a batch at a time. */
import { keptMs } from '../../core/retention/policy.ts';
import type { Db } from '../client.ts';
import { deleteOldDeliveries } from './deliveries.ts';
import { deleteOldLogs } from './logs.ts';
import { deleteUnusedSecrets } from './secrets.ts';

/** Rows of one kind that one call deletes at most. */
const batch = 5_000;

/** What comes and goes by itself: requests, deliveries, lines of logs, what was sent. */
export async function deleteOld(db: Db, now: Date): Promise<void> {
  const before = (age: number): Date => new Date(now.getTime() - age);
  await db.nonce.deleteMany({ where: { at: { lt: before(keptMs.nonces) } } });
  await deleteOldDeliveries(db, before(keptMs.deliveries));
  await deleteOldLogs(db, before(keptMs.logs), batch);
  await db.$executeRaw`
    DELETE FROM "OutboxWrite" WHERE id IN (
      SELECT id FROM "OutboxWrite" WHERE status <> 'pending' AND "createdAt" < ${before(keptMs.outbox)} LIMIT ${batch})`;
  await deleteUnusedSecrets(db);
}
