/** Decides whether the release that serves is to be rolled out again because replicas of it are lost, and says why. */
import type { ReasonCode } from '../intent/reasons.ts';
import { isReplacement } from './replicas.ts';
import type { RolloutStage } from './stage.ts';

/** A replica of the release that serves, as it is or as it was last. */
export type ServingReplica = {
  replica: number;
  /** It is meant to run, on a node that is there. */
  stands: boolean;
  /** What became of it, as a sentence. */
  detail: string | null;
};

export type EndedRollout = {
  releaseId: string;
  previousReleaseId: string | null;
  stage: RolloutStage;
  /** null: it is under way. */
  finishedAt: Date | null;
};

export type ServingService = {
  /** That it is to have. */
  replicas: number;
  /** Newest first. */
  allocations: readonly ServingReplica[];
  /** Of the service, newest first; at least the newest that were made to bring back replicas. */
  rollouts: readonly EndedRollout[];
};

export type Replacement =
  | { kind: 'none' }
  /** Bringing them back has failed: not before then. */
  | { kind: 'wait'; until: Date }
  | { kind: 'roll_out'; code: ReasonCode; message: string };

const firstPauseMs = 60_000;
const longestPauseMs = 3_600_000;

/** A rollout under way is left alone: it brings another release, or places again what it loses itself. */
export function replacementOf({ replicas, allocations, rollouts }: ServingService, now: Date): Replacement {
  const lost = Array.from({ length: replicas }, (_, replica) => replica).filter(
    (replica) => !allocations.some((one) => one.replica === replica && one.stands),
  );
  if (lost.length === 0 || rollouts.some(({ finishedAt }) => finishedAt === null)) return { kind: 'none' };
  const until = pauseEnds(rollouts);
  if (until !== null && until > now) return { kind: 'wait', until };
  const message = lost.map((replica) => sentence(replica, allocations)).join(' ');
  return { kind: 'roll_out', code: 'replicas_lost', message };
}

/** Twice as long after each failure, so that what cannot run is not rolled out without end. */
function pauseEnds(rollouts: readonly EndedRollout[]): Date | null {
  const firstOther = rollouts.findIndex((one) => !isReplacement(one) || one.stage === 'running');
  const failures = firstOther === -1 ? rollouts : rollouts.slice(0, firstOther);
  const last = failures[0]?.finishedAt;
  if (last === undefined || last === null) return null;
  return new Date(last.getTime() + Math.min(firstPauseMs * 2 ** (failures.length - 1), longestPauseMs));
}

function sentence(replica: number, allocations: readonly ServingReplica[]): string {
  const detail = allocations.find((one) => one.replica === replica)?.detail;
  return `Replica ${replica} was lost${detail == null ? '.' : `: ${detail}`}`;
}
