/** What is kept for how long: rows that only explain the past go when they are old. */
import type { Db } from '../client.ts';
import { deleteOldDeliveries } from './deliveries.ts';
import { deleteUnusedSecrets } from './secrets.ts';

const day = 86_400_000;

/** In milliseconds. Logs and outbox rows are what pages show; a nonce only has to outlive the clock window of a signature. */
export const retention = { nonces: 300_000, deliveries: 30 * day, logs: 30 * day, outbox: 30 * day };

/** Deletes what is older than it is kept. */
export async function deleteOld(db: Db, now: Date): Promise<void> {
  const before = (age: number): Date => new Date(now.getTime() - age);
  await db.nonce.deleteMany({ where: { at: { lt: before(retention.nonces) } } });
  await deleteOldDeliveries(db, before(retention.deliveries));
  await db.logChunk.deleteMany({ where: { at: { lt: before(retention.logs) } } });
  await db.outboxWrite.deleteMany({
    where: { status: { not: 'pending' }, createdAt: { lt: before(retention.outbox) } },
  });
  await deleteUnusedSecrets(db);
}
