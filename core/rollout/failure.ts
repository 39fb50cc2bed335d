/** Tells from its allocations whether a rollout cannot succeed any more, and why. */
import type { LeftOut } from '../expected/left-out.ts';
import { isReasonCode, reasons, type ReasonCode } from '../intent/reasons.ts';
import type { AllocationFact, RolloutFacts } from './facts.ts';

export type Failure = { code: ReasonCode; message: string; lastLog: string[] };

/** A container that has exited this often does not get well by itself. */
export const crashLoopRestarts = 3;

/** How long after the stage began the agent may keep trying by itself. What is not here never fails a rollout alone. */
const patienceMs: Partial<Record<ReasonCode, number>> = {
  registry_refused: 0,
  secrets_unreadable: 0,
  release_unreadable: 0,
  secret_missing: 0,
  secret_damaged: 0,
  address_foreign: 0,
  // Of several control planes one may have got the key before the others.
  master_key_missing: 15_000,
  // What holds the address may be on its way out.
  address_taken: 30_000,
  pull_failed: 30_000,
  image_missing: 30_000,
  create_failed: 15_000,
  start_failed: 15_000,
  disk_full: 30_000,
};

type Since = { stageSince: Date; now: Date };

/** The first failure by allocation id; null while all may still get well. */
export function failureOf(own: readonly AllocationFact[], nodes: RolloutFacts['nodes'], since: Since): Failure | null {
  for (const allocation of own) {
    const code = failureCode(allocation, since);
    if (code === null) continue;
    const why = withheld(allocation)?.message ?? allocation.detail ?? reasons[code].means;
    return { code, message: ofReplica(allocation, nodes, why), lastLog: [...allocation.lastLog] };
  }
  return null;
}

/** Why a replica that does not run is not about to: its node is not told of it. What runs is left running (P04). */
export function withheld({ observed, leftOut }: AllocationFact): LeftOut | null {
  return observed === 'running' ? null : leftOut;
}

export function ofReplica({ replica, nodeId }: AllocationFact, nodes: RolloutFacts['nodes'], why: string): string {
  const node = nodes.find(({ id }) => id === nodeId)?.name ?? nodeId;
  return `Replica ${replica} on ${node}: ${why}`;
}

/** When the patience with a failing allocation ends; only times still to come. */
export function patienceEnds(own: readonly AllocationFact[], { stageSince, now }: Since): Date[] {
  return own
    .map((allocation) => patienceFor(withheld(allocation)?.code ?? allocation.detailCode))
    .filter((patience) => patience !== null)
    .map((patience) => new Date(stageSince.getTime() + patience))
    .filter((end) => end > now);
}

function failureCode(allocation: AllocationFact, { stageSince, now }: Since): ReasonCode | null {
  const { observed, health, detailCode, restarts } = allocation;
  const over = (patience: number): boolean => now.getTime() - stageSince.getTime() >= patience;
  const out = withheld(allocation);
  if (out !== null) return over(patienceFor(out.code) ?? 0) ? out.code : null;
  if (observed === 'exited' && restarts >= crashLoopRestarts) {
    return detailCode === 'out_of_memory' ? 'out_of_memory' : 'crash_loop';
  }
  if (observed === 'running' && health === 'unhealthy') return 'health_failed';
  const patience = patienceFor(detailCode);
  if (patience === null || !over(patience)) return null;
  return detailCode !== null && isReasonCode(detailCode) ? detailCode : null;
}

function patienceFor(detailCode: string | null): number | null {
  return detailCode !== null && isReasonCode(detailCode) ? (patienceMs[detailCode] ?? null) : null;
}
