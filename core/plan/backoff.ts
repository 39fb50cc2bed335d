/** How long a failed action or an exited container waits before it is tried again. */
import type { Backoff, RestartRecord } from './observed.ts';

/** After another failure of the action under `key`. */
export function afterFailure(_previous: Backoff | null, _key: string, _now: Date): Backoff {
  throw new Error('not written yet');
}

/** After a container exited; one that ran for ten minutes starts counting anew. */
export function afterExit(
  _previous: RestartRecord | null,
  _exit: { allocationId: string; startedAt: Date | null; exitedAt: Date },
): RestartRecord {
  throw new Error('not written yet');
}
