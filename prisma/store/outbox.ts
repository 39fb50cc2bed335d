/** The outbox: writes owed to GitHub, in one lane per installation and in order per subject. */
import type { WriteKind } from '../../core/report/writes.ts';
import type { Db } from '../client.ts';
import type { HeldLane } from './lane.ts';

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

export interface PendingWrite extends Omit<OwedWrite, 'kind'> {
  id: bigint;
  /** As stored: a later release may have known it. */
  kind: string;
  attempts: number;
}

/** What names the job that flushes a lane. */
export interface Lane {
  installationId: number;
  /** Id of the newest pending write. */
  upTo: string;
}

/**
 * Writes down what is owed, inside the caller's transaction, and supersedes what it takes the place of and nobody has begun to send.
 * Gives the lane to flush after the commit, or null when all of it was owed before.
 */
export async function owe(db: Db, installationId: number, writes: OwedWrite[]): Promise<Lane | null> {
  if (writes.length === 0) return null;
  const [row] = await db.$queryRaw<{ newest: bigint | null }[]>`
    WITH added AS (
      INSERT INTO "OutboxWrite" ("installationId", key, subject, kind, "coalesceKey", payload, "notBefore")
      SELECT ${BigInt(installationId)}, key, subject, kind, "coalesceKey", payload, to_timestamp(0)
      FROM ROWS FROM (jsonb_to_recordset(${JSON.stringify(writes)}::jsonb)
        AS (key text, subject text, kind text, "coalesceKey" text, payload jsonb)) WITH ORDINALITY
        AS owed(key, subject, kind, "coalesceKey", payload, position)
      ORDER BY position
      ON CONFLICT (key) DO NOTHING
      RETURNING id, "coalesceKey"
    ), superseded AS (
      UPDATE "OutboxWrite" SET status = 'superseded' FROM added
      WHERE "OutboxWrite"."coalesceKey" = added."coalesceKey" AND status = 'pending' AND attempts = 0
    )
    SELECT max(id) AS newest FROM added`;
  const newest = row?.newest ?? null;
  return newest === null ? null : { installationId, upTo: String(newest) };
}

/** Pending writes that may be sent now, oldest first: none behind one of the same subject that has to wait. */
export async function sendableWrites(
  db: Db,
  installationId: number,
  { now, limit }: { now: Date; limit: number },
): Promise<PendingWrite[]> {
  return db.$queryRaw<PendingWrite[]>`
    SELECT id, key, subject, kind, "coalesceKey", payload, attempts FROM "OutboxWrite" AS write
    WHERE "installationId" = ${BigInt(installationId)} AND status = 'pending' AND NOT EXISTS (
      SELECT 1 FROM "OutboxWrite" AS earlier
      WHERE earlier.subject = write.subject AND earlier.status = 'pending' AND earlier.id <= write.id
        AND earlier."notBefore" > ${now})
    ORDER BY id LIMIT ${limit}`;
}

/** When something of the lane may be sent next: the first write of some subject is due then. Null when nothing is owed. */
export async function nextDue(db: Db, installationId: number): Promise<Date | null> {
  const [row] = await db.$queryRaw<{ due: Date | null }[]>`
    SELECT min("notBefore") AS due FROM (
      SELECT DISTINCT ON (subject) "notBefore" FROM "OutboxWrite"
      WHERE "installationId" = ${BigInt(installationId)} AND status = 'pending'
      ORDER BY subject, id) AS first`;
  return row?.due ?? null;
}

/** Installations that are owed something now, and may be sent to: what the sweep wakes. */
export async function lanesWithPendingWrites(db: Db, now: Date): Promise<Lane[]> {
  const lanes = await db.outboxWrite.groupBy({
    by: ['installationId'],
    where: {
      status: 'pending',
      notBefore: { lte: now },
      installation: { OR: [{ limitedUntil: null }, { limitedUntil: { lte: now } }] },
    },
    _max: { id: true },
  });
  return lanes.map((lane) => ({ installationId: Number(lane.installationId), upTo: String(lane._max.id) }));
}

/** `lost`: another process has the lane by now, and this one has nothing to say of its writes. */
export type Marked = 'marked' | 'lost';

interface Mark {
  status: 'pending' | 'sent' | 'failed';
  attempts?: -1;
  githubId?: bigint | null;
  sentAt?: Date;
  notBefore?: Date;
  lastError: string | null;
}

/** The lane is kept from others until the row has changed: who takes it next reads the row as it is then. */
async function mark(db: Db, lane: HeldLane, id: bigint, mark: Mark): Promise<Marked> {
  const { status, attempts = 0, githubId = null, sentAt = null, notBefore = null, lastError } = mark;
  const count = await db.$executeRaw`
    WITH held AS (
      SELECT id FROM "Installation" WHERE id = ${BigInt(lane.installationId)} AND "laneUntil" = ${lane.until} FOR SHARE
    )
    UPDATE "OutboxWrite" SET status = ${status}::"OutboxStatus", attempts = attempts + ${attempts}::int,
      "githubId" = coalesce(${githubId}::bigint, "githubId"), "sentAt" = coalesce(${sentAt}::timestamptz, "sentAt"),
      "notBefore" = coalesce(${notBefore}::timestamptz, "notBefore"), "lastError" = ${lastError}
    FROM held WHERE "OutboxWrite".id = ${id} AND "installationId" = held.id AND status = 'pending'`;
  return count === 1 ? 'marked' : 'lost';
}

export function markSent(
  db: Db,
  lane: HeldLane,
  { id, githubId, at }: { id: bigint; githubId: number | null; at: Date },
): Promise<Marked> {
  const number = githubId === null ? null : BigInt(githubId);
  return mark(db, lane, id, { status: 'sent', githubId: number, sentAt: at, lastError: null });
}

export function markLater(
  db: Db,
  lane: HeldLane,
  { id, notBefore, error }: { id: bigint; notBefore: Date; error: string },
): Promise<Marked> {
  return mark(db, lane, id, { status: 'pending', notBefore, lastError: error });
}

/** GitHub would not hear of it for now: it was no attempt. */
export function markUnheard(db: Db, lane: HeldLane, { id, error }: { id: bigint; error: string }): Promise<Marked> {
  return mark(db, lane, id, { status: 'pending', attempts: -1, lastError: error });
}

export function markFailed(db: Db, lane: HeldLane, { id, error }: { id: bigint; error: string }): Promise<Marked> {
  return mark(db, lane, id, { status: 'failed', lastError: error });
}
