/** Tells from its allocations whether a rollout cannot succeed any more, and why. */
import { isReasonCode, reasons, type ReasonCode } from '../intent/reasons.ts';
import type { AllocationFact, RolloutFacts } from './facts.ts';

export type Failure = { code: ReasonCode; message: string; lastLog: string[] };

/** A container that has exited this often does not get well by itself. */
export const crashLoopRestarts = 3;

/** How long after the stage began the agent may keep trying by itself. What is not here never fails a rollout alone. */
const patienceMs: Partial<Record<ReasonCode, number>> = {
  registry_refused: 0,
  secrets_unreadable: 0,
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
    const node = nodes.find(({ id }) => id === allocation.nodeId)?.name ?? allocation.nodeId;
    const why = allocation.detail ?? reasons[code].means;
    return { code, message: `Replica ${allocation.replica} on ${node}: ${why}`, lastLog: [...allocation.lastLog] };
  }
  return null;
}

/** When the patience with a failing allocation ends; only times still to come. */
export function patienceEnds(own: readonly AllocationFact[], { stageSince, now }: Since): Date[] {
  return own
    .map(({ detailCode }) => patienceFor(detailCode))
    .filter((patience) => patience !== null)
    .map((patience) => new Date(stageSince.getTime() + patience))
    .filter((end) => end > now);
}

function failureCode(allocation: AllocationFact, { stageSince, now }: Since): ReasonCode | null {
  const { observed, health, detailCode, restarts } = allocation;
  if (observed === 'exited' && restarts >= crashLoopRestarts) {
    return detailCode === 'out_of_memory' ? 'out_of_memory' : 'crash_loop';
  }
  if (observed === 'running' && health === 'unhealthy') return 'health_failed';
  const patience = patienceFor(detailCode);
  if (patience === null || now.getTime() - stageSince.getTime() < patience) return null;
  return detailCode !== null && isReasonCode(detailCode) ? detailCode : null;
}

function patienceFor(detailCode: string | null): number | null {
  return detailCode !== null && isReasonCode(detailCode) ? (patienceMs[detailCode] ?? null) : null;
}
