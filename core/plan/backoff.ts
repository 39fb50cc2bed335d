/** How long a failed action or an exited container waits before it is tried again. */
import type { Backoff, RestartRecord } from './observed.ts';

const firstActionDelayMs = 1_000;
const secondRestartDelayMs = 500;
const longestDelayMs = 60_000;
const stableMs = 10 * 60_000;

/** After another failure of the action under `key`. */
export function afterFailure(previous: Backoff | null, key: string, now: Date): Backoff {
  const failures = (previous?.failures ?? 0) + 1;
  return { key, failures, retryAt: new Date(now.getTime() + doubled(firstActionDelayMs, failures)) };
}

/** After a container exited: at once the first time, then later and later. One that ran for ten minutes starts counting anew. */
export function afterExit(
  previous: RestartRecord | null,
  { allocationId, startedAt, exitedAt }: { allocationId: string; startedAt: Date | null; exitedAt: Date },
): RestartRecord {
  const wasStable = startedAt !== null && exitedAt.getTime() - startedAt.getTime() >= stableMs;
  const restarts = (wasStable ? 0 : (previous?.restarts ?? 0)) + 1;
  const delayMs = restarts === 1 ? 0 : doubled(secondRestartDelayMs, restarts - 1);
  return { allocationId, restarts, retryAt: new Date(exitedAt.getTime() + delayMs) };
}

function doubled(firstMs: number, times: number): number {
  return Math.min(longestDelayMs, firstMs * 2 ** (Math.min(times, 20) - 1));
}
