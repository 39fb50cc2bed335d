/** Plans what an agent does next, in order: orphans, starts, missing ones, wrong ones (DESIGN section 4). */
import type { ExpectedState } from '../contract/expected-state.ts';
import type { Action } from './action.ts';
import type { Observed } from './observed.ts';

/** Sorted by step, then by allocation and container id (P17). Empty: no drift, or all of it waits. */
export function plan(_expected: ExpectedState, _observed: Observed, _now: Date): Action[] {
  throw new Error('not written yet');
}

/** The earliest time at which `plan` may answer otherwise by itself; null: only a change can. */
export function planAgainAt(_expected: ExpectedState, _observed: Observed, _now: Date): Date | null {
  throw new Error('not written yet');
}

/** Whether nothing is left to do, waiting actions included. */
export function isConverged(_expected: ExpectedState, _observed: Observed, _now: Date): boolean {
  throw new Error('not written yet');
}

/** A state of an older generation than the one applied is refused by name (P21). */
export function admitGeneration(
  _applied: { nodeId: string; generation: number } | null,
  _incoming: { nodeId: string; generation: number },
): { ok: true } | { ok: false; code: 'generation_stale' | 'wrong_node'; message: string } {
  throw new Error('not written yet');
}
