/** Derives how an intent stands from its builds and rollouts. */
import { isTerminal, type RolloutStage } from '../rollout/stage.ts';
import { isReasonCode, reasons, type ReasonCode } from './reasons.ts';

export type BuildStatus = 'queued' | 'offered' | 'building' | 'succeeded' | 'failed' | 'cancelled' | 'superseded';

export type IntentFacts = {
  builds: readonly { service: string; status: BuildStatus; reasonCode: string | null; reason: string | null }[];
  rollouts: readonly { service: string; stage: RolloutStage; reasonCode: string | null; reason: string | null }[];
};

export type IntentOutcome =
  | { kind: 'building' }
  /** Every build succeeded and no rollout exists yet: releases and rollouts are to be made. */
  | { kind: 'release' }
  | { kind: 'rolling_out' }
  /** Every service serves (P11). */
  | { kind: 'succeeded' }
  | { kind: 'failed' | 'cancelled' | 'superseded'; code: ReasonCode; reason: string };

type Ended = { service: string; reasonCode: string | null; reason: string | null };

/** A failed build ends it at once; a failed rollout when the others have ended too, so that its report is the last word. */
export function intentOutcome({ builds, rollouts }: IntentFacts): IntentOutcome {
  if (rollouts.length === 0) return beforeRollouts(builds);
  if (rollouts.some(({ stage }) => !isTerminal(stage))) return { kind: 'rolling_out' };
  const failed = byService(rollouts.filter(({ stage }) => stage === 'failed' || stage === 'rolled_back'));
  if (failed[0]) return ended('failed', failed[0], 'internal');
  const stopped = byService(rollouts.filter(({ stage }) => stage === 'stopped'));
  if (stopped.length === 0) return { kind: 'succeeded' };
  const superseded = stopped.find(({ reasonCode }) => reasonCode === 'superseded');
  if (superseded) return ended('superseded', superseded, 'superseded');
  // A service that was taken out of the configuration does not fail what the others achieved.
  if (stopped.length < rollouts.length) return { kind: 'succeeded' };
  return ended('cancelled', stopped[0] ?? rollouts[0], 'cancelled');
}

function beforeRollouts(builds: IntentFacts['builds']): IntentOutcome {
  const withStatus = (status: BuildStatus) => byService(builds.filter((build) => build.status === status))[0];
  const failed = withStatus('failed');
  if (failed) return ended('failed', failed, 'internal');
  const superseded = withStatus('superseded');
  if (superseded) return ended('superseded', superseded, 'superseded');
  const cancelled = withStatus('cancelled');
  if (cancelled) return ended('cancelled', cancelled, 'cancelled');
  return builds.every(({ status }) => status === 'succeeded') ? { kind: 'release' } : { kind: 'building' };
}

function ended(
  kind: 'failed' | 'cancelled' | 'superseded',
  row: Ended | undefined,
  otherwise: ReasonCode,
): IntentOutcome {
  const code = row?.reasonCode && isReasonCode(row.reasonCode) ? row.reasonCode : otherwise;
  return { kind, code, reason: `${row?.service ?? ''}: ${row?.reason ?? reasons[code].means}` };
}

function byService<T extends Ended>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => (a.service < b.service ? -1 : 1));
}
