/** Deletes what is older than it is kept (core/retention), a batch after the other: no statement is long, and no call takes on a whole backlog. */
import { keptMs } from '../../core/retention/policy.ts';
import type { Db } from '../client.ts';
import { deleteOldDeliveries } from './deliveries.ts';
import { deleteOldLogs } from './logs.ts';
import { deleteUnusedSecrets } from './secrets.ts';

/** What one call deletes of each kind at most: so many times so many rows. */
export interface DeletionBounds {
  rows: number;
  rounds: number;
}

const usual: DeletionBounds = { rows: 1_000, rounds: 20 };

type DeleteSome = (db: Db, before: (age: number) => Date, limit: number) => Promise<number>;

/** What comes and goes by itself: requests, deliveries, lines of logs, what was sent. */
const kinds: readonly DeleteSome[] = [
  (db, before, limit) => db.$executeRaw`
    DELETE FROM "Nonce" WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM "Nonce" WHERE at < ${before(keptMs.nonces)} LIMIT ${limit}))`,
  (db, before, limit) => deleteOldDeliveries(db, before(keptMs.deliveries), limit),
  (db, before, limit) => deleteOldLogs(db, before(keptMs.logs), limit),
  (db, before, limit) => db.$executeRaw`
    DELETE FROM "OutboxWrite" WHERE id IN (
      SELECT id FROM "OutboxWrite" WHERE status <> 'pending' AND "createdAt" < ${before(keptMs.outbox)} LIMIT ${limit})`,
];

export async function deleteOld(db: Db, now: Date, { rows, rounds }: DeletionBounds = usual): Promise<void> {
  const before = (age: number): Date => new Date(now.getTime() - age);
  for (const deleteSome of kinds) {
    for (let round = 0; round < rounds; round++) if ((await deleteSome(db, before, rows)) < rows) break;
  }
  await deleteUnusedSecrets(db);
}
