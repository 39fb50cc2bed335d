/** Derives how an intent stands from its builds and rollouts. */
import type { RolloutStage } from '../rollout/stage.ts';
import type { ReasonCode } from './reasons.ts';

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

export function intentOutcome(_facts: IntentFacts): IntentOutcome {
  throw new Error('not written yet');
}
