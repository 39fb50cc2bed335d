/** Keeps the lease of one claimed build: renewed at a third of its length, given up when it is lost or the control plane says so. */
import { messageOf } from '../../platform/errors/classify.ts';
import type { Control } from '../control/control.ts';
import { ControlRefused, isTransient } from '../control/errors.ts';
import type { Clock } from '../loop/clock.ts';
import { BuildCancelled } from './outcome.ts';

export interface BuildLease {
  /** Milliseconds until it runs out. */
  readonly left: () => number;
  readonly stop: () => void;
}

export interface LeaseOptions {
  control: Pick<Control, 'renew'>;
  clock: Clock;
  workId: string;
  claim: { attempt: number; leaseMs: number };
  /** Aborted when the build is to end. */
  cancel: AbortController;
}

/** The right to do this work is gone: nothing is reported. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

const retryMs = 1_000;

export function keepLease({ control, clock, workId, claim, cancel }: LeaseOptions): BuildLease {
  const endOf = (answer: { leaseMs: number }): number => clock.now().getTime() + answer.leaseMs;
  let leaseUntil = endOf(claim);
  let cancelTimer = (): void => undefined;
  let stopped = false;

  const left = (): number => leaseUntil - clock.now().getTime();
  const schedule = (milliseconds: number): void => {
    if (stopped || cancel.signal.aborted) return;
    cancelTimer = clock.after(milliseconds, () => void renew());
  };
  const renew = async (): Promise<void> => {
    try {
      const renewal = await control.renew(workId, claim.attempt);
      leaseUntil = endOf(renewal);
      if (renewal.cancel !== null) cancel.abort(new BuildCancelled(renewal.cancel));
      schedule(left() / 3);
    } catch (error) {
      // Without an answer the lease is still ours until it ends.
      if (isTransient(error) && left() > 0) schedule(Math.min(left(), retryMs));
      else cancel.abort(refusalOf(error));
    }
  };
  const stop = (): void => {
    stopped = true;
    cancelTimer();
  };

  schedule(left() / 3);
  return { left, stop };
}

/** Refused by name: cancelled is an outcome that is reported, anything else means that others have taken over. */
function refusalOf(error: unknown): Error {
  if (error instanceof ControlRefused && error.code === 'work_cancelled') return new BuildCancelled('cancelled');
  return new LeaseLost(messageOf(error));
}
