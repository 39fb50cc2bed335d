/**
 * The lane of an installation: one process at a time sends its writes, as GitHub asks, and for no longer than it says. The time
 * until which it holds the lane also fences it: who was late finds another time there, and sends nothing more.
 */
import type { Db } from '../client.ts';

export interface HeldLane {
  installationId: number;
  /** Until then. */
  until: Date;
}

export type TakenLane =
  | { kind: 'held'; lane: HeldLane }
  /** Another process sends: it reads again before it ends, so nothing written before this call is missed unless it dies. */
  | { kind: 'busy'; until: Date }
  /** GitHub asks to wait. */
  | { kind: 'limited'; until: Date }
  | { kind: 'gone' };

export async function takeLane(db: Db, wanted: HeldLane, now: Date): Promise<TakenLane> {
  const id = BigInt(wanted.installationId);
  const free = { OR: [{ laneUntil: null }, { laneUntil: { lte: now } }] };
  const unlimited = { OR: [{ limitedUntil: null }, { limitedUntil: { lte: now } }] };
  const { count } = await db.installation.updateMany({
    where: { id, AND: [free, unlimited] },
    data: { laneUntil: wanted.until },
  });
  if (count === 1) return { kind: 'held', lane: wanted };
  const row = await db.installation.findUnique({ where: { id }, select: { limitedUntil: true, laneUntil: true } });
  if (row === null) return { kind: 'gone' };
  if (row.limitedUntil !== null && row.limitedUntil > now) return { kind: 'limited', until: row.limitedUntil };
  return { kind: 'busy', until: row.laneUntil ?? now };
}

/** Holds the lane for longer. `lost` when another has taken it. */
export async function keepLane(db: Db, lane: HeldLane, until: Date): Promise<HeldLane | 'lost'> {
  const { count } = await db.installation.updateMany({
    where: { id: BigInt(lane.installationId), laneUntil: lane.until },
    data: { laneUntil: until },
  });
  return count === 1 ? { ...lane, until } : 'lost';
}

/** Lets go of the lane, unless another has taken it since. */
export async function leaveLane(db: Db, { installationId, until }: HeldLane): Promise<void> {
  await db.installation.updateMany({
    where: { id: BigInt(installationId), laneUntil: until },
    data: { laneUntil: null },
  });
}

/** Nobody sends for this installation before then; a longer wait that GitHub asked for stands. */
export async function limitLane(db: Db, installationId: number, until: Date): Promise<void> {
  await db.$executeRaw`
    UPDATE "Installation" SET "limitedUntil" = greatest("limitedUntil", ${until}) WHERE id = ${BigInt(installationId)}`;
}

/**
 * Begins an attempt at a write, and holds the lane for longer. Gives the lane as it is held now, with whether the write is owed
 * still: a newer one may have taken its place. `lost` when another has taken the lane. From here on the write may have reached
 * GitHub, so it is no longer coalesced away, and the next attempt looks first.
 */
export async function beginWrite(
  db: Db,
  lane: HeldLane,
  { writeId, until }: { writeId: bigint; until: Date },
): Promise<{ lane: HeldLane; owed: boolean } | 'lost'> {
  const [row] = await db.$queryRaw<{ held: boolean; begun: boolean }[]>`
    WITH held AS (
      UPDATE "Installation" SET "laneUntil" = ${until}
      WHERE id = ${BigInt(lane.installationId)} AND "laneUntil" = ${lane.until}
      RETURNING 1
    ), begun AS (
      UPDATE "OutboxWrite" SET attempts = attempts + 1 FROM held
      WHERE "OutboxWrite".id = ${writeId} AND status = 'pending'
      RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM held) AS held, EXISTS (SELECT 1 FROM begun) AS begun`;
  if (row?.held !== true) return 'lost';
  return { lane: { ...lane, until }, owed: row.begun };
}
