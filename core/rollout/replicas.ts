/** Tells apart the replicas of a service as one rollout sees them: its own, those it keeps, and those it takes the place of. */
import type { AllocationFact, RolloutView } from './facts.ts';

export type Replicas = {
  /** Made by this rollout and meant to run; sorted by id. */
  own: AllocationFact[];
  /** Of the same release, made by an earlier rollout and meant to run: they count, and are never stopped for this one's failure. */
  kept: AllocationFact[];
  /** Of earlier rollouts, and not gone. */
  old: AllocationFact[];
  /** Numbers of those that are neither own nor kept. */
  missing: number[];
};

export function replicasOf(rollout: RolloutView, allocations: readonly AllocationFact[]): Replicas {
  const meant = allocations.filter(({ desired }) => desired === 'running').sort(byId);
  const own = meant.filter(({ rolloutId }) => rolloutId === rollout.id);
  const held = new Set(own.map(({ replica }) => replica));
  const kept: AllocationFact[] = [];
  for (const one of meant) {
    const wanted = one.releaseId === rollout.releaseId && one.replica < rollout.replicas && !held.has(one.replica);
    if (one.rolloutId === rollout.id || !wanted) continue;
    held.add(one.replica);
    kept.push(one);
  }
  const old = allocations.filter((one) => one.rolloutId !== rollout.id && !kept.includes(one));
  const numbers = Array.from({ length: rollout.replicas }, (_, replica) => replica);
  return { own, kept, old, missing: numbers.filter((replica) => !held.has(replica)) };
}

/** Replica numbers that nothing stands for: what to ask `place` for. Empty once it has been placed. */
export function missingReplicas(rollout: RolloutView, allocations: readonly AllocationFact[]): number[] {
  return rollout.stage === 'pending' ? replicasOf(rollout, allocations).missing : [];
}

/** Brings back replicas of the release that serves already: it waits for room however long that takes. */
export function isReplacement({
  releaseId,
  previousReleaseId,
}: Pick<RolloutView, 'releaseId' | 'previousReleaseId'>): boolean {
  return releaseId === previousReleaseId;
}

export function byId(a: AllocationFact, b: AllocationFact): number {
  return a.id < b.id ? -1 : 1;
}
