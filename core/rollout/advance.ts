/** Moves a rollout by one step: start-first, and nothing that serves is stopped before its successor serves (P06). */
import type { Advance, AllocationFact, RolloutFacts, RolloutView } from './facts.ts';

/** Replica numbers that this rollout has no allocation for: what to ask `place` for. Empty once it has ended. */
export function missingReplicas(_rollout: RolloutView, _allocations: readonly AllocationFact[]): number[] {
  throw new Error('not written yet');
}

export function advance(_rollout: RolloutView, _facts: RolloutFacts, _now: Date): Advance {
  throw new Error('not written yet');
}
