/** The outbox: writes owed to GitHub, in one ordered lane per installation. */
import { writePayloads, type WriteKind } from '../../core/report/writes.ts';
import type { Db } from '../client.ts';

export interface OwedWrite {
  /** Idempotency key: owing the same key twice owes it once. */
  key: string;
  /** What the order is kept for, `intent:<id>`. */
  subject: string;
  kind: WriteKind;
  /** A pending write with the same key is superseded by this one. */
  coalesceKey: string | null;
  payload: object;
}

export interface PendingWrite extends OwedWrite {
  id: bigint;
  attempts: number;
  notBefore: Date;
}

/** The newest pending write of a lane; null when it is empty. */
export async function newestPending(db: Db, installationId: number): Promise<Lane | null> {
  const newest = await db.outboxWrite.aggregate({
    where: { installationId: BigInt(installationId), status: 'pending' },
    _max: { id: true },
  });
  return newest._max.id === null ? null : { installationId, upTo: String(newest._max.id) };
}

/** Writes down what is owed, inside the caller's transaction. Returns how many were new. */
export async function owe(db: Db, installationId: number, writes: OwedWrite[]): Promise<number> {
  let added = 0;
  for (const write of writes) {
    const { count } = await db.outboxWrite.createMany({
      data: [{ ...write, installationId: BigInt(installationId) }],
      skipDuplicates: true,
    });
    added += count;
    if (count === 1 && write.coalesceKey !== null)
      await db.outboxWrite.updateMany({
        where: { coalesceKey: write.coalesceKey, status: 'pending', attempts: 0, key: { not: write.key } },
        data: { status: 'superseded' },
      });
  }
  return added;
}

function kindOf(kind: string): WriteKind {
  if (Object.hasOwn(writePayloads, kind)) return kind as WriteKind;
  throw new RangeError(`The outbox holds a write of the unknown kind ${kind}.`);
}

/** The lane's pending writes, oldest first. */
export async function pendingWrites(db: Db, installationId: number, limit: number): Promise<PendingWrite[]> {
  const rows = await db.outboxWrite.findMany({
    where: { installationId: BigInt(installationId), status: 'pending' },
    orderBy: { id: 'asc' },
    take: limit,
  });
  return rows.map((row) => ({ ...row, kind: kindOf(row.kind), payload: row.payload as object }));
}

export interface Lane {
  installationId: number;
  /** Id of the newest pending write: names the job. */
  upTo: string;
}

/** Installations that are owed something now: what the sweep wakes. */
export async function lanesWithPendingWrites(db: Db, now: Date): Promise<Lane[]> {
  const lanes = await db.outboxWrite.groupBy({
    by: ['installationId'],
    where: { status: 'pending', notBefore: { lte: now } },
    _max: { id: true },
  });
  return lanes.map((lane) => ({ installationId: Number(lane.installationId), upTo: String(lane._max.id) }));
}

/** An attempt begins: from here on the write may have reached GitHub, so it is no longer coalesced away. */
export async function beginAttempt(db: Db, id: bigint): Promise<void> {
  await db.outboxWrite.update({ where: { id }, data: { attempts: { increment: 1 } } });
}

export async function markSent(db: Db, id: bigint, sent: { githubId: number | null; at: Date }): Promise<void> {
  const githubId = sent.githubId === null ? null : BigInt(sent.githubId);
  await db.outboxWrite.update({ where: { id }, data: { status: 'sent', githubId, sentAt: sent.at, lastError: null } });
}

export async function markLater(db: Db, id: bigint, later: { notBefore: Date; error: string }): Promise<void> {
  await db.outboxWrite.update({ where: { id }, data: { notBefore: later.notBefore, lastError: later.error } });
}

export async function markFailed(db: Db, id: bigint, error: string): Promise<void> {
  await db.outboxWrite.update({ where: { id }, data: { status: 'failed', lastError: error } });
}
