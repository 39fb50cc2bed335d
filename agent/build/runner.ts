/**
 * Takes offered builds under a lease and never lets go of it silently: renewed at a third of its length, given up when it is lost or
 * the control plane says so. At most so many at once, none while the machine is short of memory or disk (P80).
 */
import type { BuildOutcome, FinishRequest, WorkOffer } from '../../core/contract/work.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { backoffMs } from '../control/backoff.ts';
import type { Claim, Control } from '../control/control.ts';
import { ControlRefused, isTransient } from '../control/errors.ts';
import type { Clock } from '../loop/clock.ts';
import { BuildCancelled } from './outcome.ts';

export interface RunnerOptions {
  control: Pick<Control, 'claim' | 'renew' | 'finish'>;
  clock: Clock;
  random: () => number;
  /** Builds at the same time. */
  concurrency: number;
  /** Why no build may start now, as a sentence; null when one may. */
  pressure: () => Promise<string | null>;
  /** What goes wrong is an outcome. */
  build: (work: { workId: string; claim: Claim; cancel: AbortSignal }) => Promise<BuildOutcome>;
  log: (line: string) => void;
}

export interface BuildRunner {
  /** Every offer that is known now; repeated offers of the same attempt count once. */
  readonly offer: (offers: readonly WorkOffer[]) => void;
  readonly running: () => number;
  /** Gives up what runs, without a word: the leases run out, and others take over. */
  readonly stop: () => Promise<void>;
}

interface Running {
  attempt: number;
  cancel: AbortController;
  done: Promise<void>;
}

const rememberedAttempts = 200;
const claimPauseMs = 1_000;
const finishBackoff = { firstMs: 250, maxMs: 5_000 };

export function buildRunner(options: RunnerOptions): BuildRunner {
  const running = new Map<string, Running>();
  /** Attempts that were claimed here. */
  const claimed = new Set<string>();
  const { clock, control, log } = options;
  let known: readonly WorkOffer[] = [];
  let stopped = false;

  const offer = (offers: readonly WorkOffer[]): void => {
    known = offers;
    if (stopped) return;
    for (const { workId, attempt, kind, status, cancel } of offers) {
      const mine = running.get(workId);
      if (mine !== undefined) {
        if (cancel !== null && mine.attempt === attempt) mine.cancel.abort(new BuildCancelled(cancel));
        continue;
      }
      const open =
        kind === 'build' && status === 'offered' && cancel === null && !claimed.has(attemptKey(workId, attempt));
      if (open && running.size < options.concurrency) start(workId, attempt);
    }
  };
  const start = (workId: string, attempt: number): void => {
    const cancel = new AbortController();
    const done = work(workId, attempt, cancel)
      .catch((error: unknown) => log(`Build work ${workId} was not done: ${messageOf(error)}`))
      .finally(() => {
        running.delete(workId);
        // Its place is free for what was offered meanwhile; what could not be claimed is not tried at once.
        const pauseMs = claimed.has(attemptKey(workId, attempt)) ? 0 : claimPauseMs;
        clock.after(pauseMs, () => offer(known));
      });
    running.set(workId, { attempt, cancel, done });
  };
  const work = async (workId: string, attempt: number, cancel: AbortController): Promise<void> => {
    const pressure = await options.pressure();
    if (pressure !== null) {
      log(`Build work ${workId} is not taken: ${pressure}`);
      return;
    }
    const claim = await control.claim(workId, attempt);
    remember(attemptKey(workId, attempt));
    const lease = keepLease(workId, claim, cancel);
    const outcome = await options.build({ workId, claim, cancel: cancel.signal }).catch(unexpected);
    lease.stop();
    if (!(cancel.signal.reason instanceof LeaseLost)) await finish(workId, { attempt: claim.attempt, outcome }, lease);
  };

  /** An offer may still be told after its work has ended. */
  const remember = (key: string): void => {
    claimed.add(key);
    const [oldest] = claimed;
    if (claimed.size > rememberedAttempts && oldest !== undefined) claimed.delete(oldest);
  };
  const keepLease = (workId: string, claim: Claim, cancel: AbortController) => {
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
        if (isTransient(error) && left() > 0) schedule(Math.min(left(), 1_000));
        else cancel.abort(refusalOf(error));
      }
    };
    schedule(left() / 3);
    return {
      left,
      stop: () => {
        stopped = true;
        cancelTimer();
      },
    };
  };

  const finish = async (workId: string, request: FinishRequest, lease: { left: () => number }): Promise<void> => {
    for (let failures = 1; ; failures += 1) {
      try {
        await control.finish(workId, request);
        return;
      } catch (error) {
        const wait = backoffMs(failures, finishBackoff, options.random());
        if (!isTransient(error) || lease.left() < wait) throw error;
        await new Promise<void>((resolve) => void clock.after(wait, resolve));
      }
    }
  };

  return {
    offer,
    running: () => running.size,
    stop: async () => {
      stopped = true;
      const all = [...running.values()];
      for (const { cancel } of all) cancel.abort(new LeaseLost('The agent stops.'));
      await Promise.all(all.map(({ done }) => done));
    },
  };
}

function attemptKey(workId: string, attempt: number): string {
  return `${workId} ${attempt}`;
}

/** A fault of the agent's own still ends the build, with a word about it. */
function unexpected(error: unknown): BuildOutcome {
  return { kind: 'failed', code: 'internal', message: messageOf(error).slice(0, 4_000), annotations: [], logTail: [] };
}

/** The right to do this work is gone: nothing is reported. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Refused by name: cancelled is an outcome that is reported, anything else means that others have taken over. */
function refusalOf(error: unknown): Error {
  if (error instanceof ControlRefused && error.code === 'work_cancelled') return new BuildCancelled('cancelled');
  return new LeaseLost(messageOf(error));
}
