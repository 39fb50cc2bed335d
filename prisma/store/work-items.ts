/** Work as the node it was offered to leases it. Every statement names node and attempt: no other can take or end it (P62). */
import type { BuildOutcome, WorkOffer } from '../../core/contract/work.ts';
import { maxBuildAttempts } from '../../core/build/decide.ts';
import type { Db, Prisma, WorkItem } from '../client.ts';
import { lockBuildOfWork } from './locks.ts';

/** One attempt of one piece of work, as its node names it. */
export interface WorkHold {
  id: string;
  nodeId: string;
  attempt: number;
}

/** Work of this node alone; null also when it is another's. */
export async function findWork(db: Db, { id, nodeId }: Pick<WorkHold, 'id' | 'nodeId'>): Promise<WorkItem | null> {
  return db.workItem.findFirst({ where: { id, nodeId } });
}

/** Offered to the node, or claimed by it and to be cancelled. */
export async function workOffers(db: Db, nodeId: string): Promise<WorkOffer[]> {
  const rows = await db.workItem.findMany({
    where: { nodeId, OR: [{ status: 'offered' }, { status: 'claimed', cancelCode: { not: null } }] },
    orderBy: { id: 'asc' },
  });
  return rows.flatMap(({ id, kind, attempt, status, cancelCode }) =>
    kind === 'backup' || kind === 'restore' || (status !== 'offered' && status !== 'claimed')
      ? []
      : [{ workId: id, kind, attempt, status, cancel: cancelCode }],
  );
}

/**
 * Leases the work and moves its build to building. True also when this node holds the lease of this attempt already, so that
 * a claim whose answer was lost can be repeated.
 */
export async function claimWork(db: Db, hold: WorkHold, lease: { at: Date; until: Date }): Promise<boolean> {
  const { id, nodeId, attempt } = hold;
  await lockBuildOfWork(db, id);
  const { count } = await db.workItem.updateMany({
    where: {
      id,
      nodeId,
      attempt,
      cancelCode: null,
      OR: [{ status: 'offered' }, { status: 'claimed', leaseUntil: { gt: lease.at } }],
    },
    data: { status: 'claimed', leaseUntil: lease.until, claimedAt: lease.at },
  });
  if (count === 0) return false;
  await db.build.updateMany({
    where: { status: 'offered', attempt, workItems: { some: { id } } },
    data: { status: 'building', startedAt: lease.at, version: { increment: 1 } },
  });
  return true;
}

/** Moves the end of a lease that still runs; null when it does not. */
export async function renewWork(
  db: Db,
  hold: WorkHold,
  lease: { at: Date; until: Date },
): Promise<{ cancelCode: string | null } | null> {
  const { id, nodeId, attempt } = hold;
  const rows = await db.workItem.updateManyAndReturn({
    where: { id, nodeId, attempt, status: 'claimed', leaseUntil: { gt: lease.at } },
    data: { leaseUntil: lease.until },
    select: { cancelCode: true },
  });
  return rows[0] ?? null;
}

export interface FinishedWork {
  buildId: string | null;
  buildVersion: number | null;
}

/**
 * Ends claimed work with its outcome, and the build that it is an attempt of; null when this attempt no longer holds it.
 * A lease that ran out while nobody else took the work still counts: what was done is done.
 */
export async function finishWork(
  db: Db,
  hold: WorkHold,
  finished: { outcome: BuildOutcome; at: Date },
): Promise<FinishedWork | null> {
  const { id, nodeId, attempt } = hold;
  await lockBuildOfWork(db, id);
  const rows = await db.workItem.updateManyAndReturn({
    where: { id, nodeId, attempt, status: 'claimed' },
    data: {
      status: finished.outcome.kind,
      result: finished.outcome,
      finishedAt: finished.at,
      leaseUntil: null,
      credentialSealed: null,
    },
    select: { buildId: true, cancelCode: true },
  });
  const [work] = rows;
  if (work === undefined) return null;
  if (work.buildId === null) return { buildId: null, buildVersion: null };
  const attempts = await db.workItem.count({ where: { buildId: work.buildId, claimedAt: { not: null } } });
  const builds = await db.build.updateManyAndReturn({
    where: { id: work.buildId, attempt, status: { in: ['offered', 'building'] } },
    data: { ...buildEnd({ ...finished, attempts, cancelCode: work.cancelCode }), version: { increment: 1 } },
    select: { version: true },
  });
  return { buildId: work.buildId, buildVersion: builds[0]?.version ?? null };
}

type BuildEnd = Pick<
  Prisma.BuildUncheckedUpdateManyInput,
  'status' | 'finishedAt' | 'imageDigest' | 'exposedPorts' | 'timings' | 'reasonCode' | 'reason' | 'annotations'
>;

interface EndedAttempt {
  outcome: BuildOutcome;
  /** How often a node has claimed it, this one included. */
  attempts: number;
  cancelCode: string | null;
  at: Date;
}

/** A builder that went away says nothing about the commit: the build waits for another attempt. */
function buildEnd({ outcome, attempts, cancelCode, at }: EndedAttempt): BuildEnd {
  if (outcome.kind === 'failed' && outcome.code === 'builder_unavailable' && attempts < maxBuildAttempts)
    return { status: 'queued', reasonCode: outcome.code, reason: outcome.message };
  return { ...buildOutcome(outcome, cancelCode), finishedAt: at };
}

function buildOutcome(outcome: BuildOutcome, cancelCode: string | null): BuildEnd {
  switch (outcome.kind) {
    case 'succeeded':
      return {
        status: 'succeeded',
        imageDigest: outcome.imageDigest,
        exposedPorts: outcome.exposedPorts,
        timings: outcome.timings,
      };
    case 'failed':
      return {
        status: 'failed',
        reasonCode: outcome.code,
        reason: outcome.message,
        annotations: outcome.annotations,
      };
    case 'cancelled':
      return { status: cancelledStatus(cancelCode), reasonCode: cancelCode ?? outcome.code };
  }
}

function cancelledStatus(cancelCode: string | null): 'superseded' | 'failed' | 'cancelled' {
  switch (cancelCode) {
    case 'superseded':
      return 'superseded';
    case 'timed_out':
      return 'failed';
    default:
      return 'cancelled';
  }
}
