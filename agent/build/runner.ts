/**
 * Takes offered builds under a lease and reports what became of each. At most so many at once, none while the machine is short of
 * memory or disk (P80).
 */
import type { BuildOutcome, FinishRequest, WorkOffer } from '../../core/contract/work.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { backoffMs } from '../control/backoff.ts';
import type { Claim, Control } from '../control/control.ts';
import { isTransient } from '../control/errors.ts';
import type { Clock } from '../loop/clock.ts';
import { keepLease, LeaseLost, type BuildLease } from './lease.ts';
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

interface Running {
  attempt: number;
  cancel: AbortController;
  done: Promise<void>;
}

const rememberedAttempts = 200;
const claimPauseMs = 1_000;
const finishBackoff = { firstMs: 250, maxMs: 5_000 };

export class BuildRunner {
  readonly #options: RunnerOptions;
  readonly #running = new Map<string, Running>();
  /** Attempts that were claimed here. */
  readonly #claimed = new Set<string>();
  #known: readonly WorkOffer[] = [];
  #isStopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Every offer that is known now; repeated offers of the same attempt count once. */
  offer(offers: readonly WorkOffer[]): void {
    this.#known = offers;
    if (this.#isStopped) return;
    for (const one of offers) {
      const mine = this.#running.get(one.workId);
      if (mine === undefined) this.#consider(one);
      else if (one.cancel !== null && mine.attempt === one.attempt) mine.cancel.abort(new BuildCancelled(one.cancel));
    }
  }

  running(): number {
    return this.#running.size;
  }

  /** Gives up what runs, without a word: the leases run out, and others take over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const all = [...this.#running.values()];
    for (const { cancel } of all) cancel.abort(new LeaseLost('The agent stops.'));
    await Promise.all(all.map(({ done }) => done));
  }

  #consider({ workId, attempt, kind, status, cancel }: WorkOffer): void {
    const isOpen = kind === 'build' && status === 'offered' && cancel === null && !this.#isClaimed(workId, attempt);
    if (isOpen && this.#running.size < this.#options.concurrency) this.#start(workId, attempt);
  }

  #start(workId: string, attempt: number): void {
    const { clock, log } = this.#options;
    const cancel = new AbortController();
    const done = this.#work(workId, attempt, cancel)
      .catch((error: unknown) => log(`Build work ${workId} was not done: ${messageOf(error)}`))
      .finally(() => {
        this.#running.delete(workId);
        // Its place is free for what was offered meanwhile; what could not be claimed is not tried at once.
        const pauseMs = this.#isClaimed(workId, attempt) ? 0 : claimPauseMs;
        clock.after(pauseMs, () => this.offer(this.#known));
      });
    this.#running.set(workId, { attempt, cancel, done });
  }

  async #work(workId: string, attempt: number, cancel: AbortController): Promise<void> {
    const { build, clock, control, log } = this.#options;
    const pressure = await this.#options.pressure();
    if (pressure !== null) {
      log(`Build work ${workId} is not taken: ${pressure}`);
      return;
    }
    const claim = await control.claim(workId, attempt);
    this.#remember(attemptKey(workId, attempt));
    const lease = keepLease({ control, clock, workId, claim, cancel });
    const outcome = await build({ workId, claim, cancel: cancel.signal }).catch(unexpected);
    lease.stop();
    if (cancel.signal.reason instanceof LeaseLost) return;
    await this.#finish(workId, { attempt: claim.attempt, outcome }, lease);
  }

  async #finish(workId: string, request: FinishRequest, lease: BuildLease): Promise<void> {
    const { clock, control, random } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        await control.finish(workId, request);
        return;
      } catch (error) {
        const wait = backoffMs(failures, finishBackoff, random());
        if (!isTransient(error) || lease.left() < wait) throw error;
        await new Promise<void>((resolve) => void clock.after(wait, resolve));
      }
    }
  }

  /** An offer may still be told after its work has ended. */
  #remember(key: string): void {
    this.#claimed.add(key);
    const [oldest] = this.#claimed;
    if (this.#claimed.size > rememberedAttempts && oldest !== undefined) this.#claimed.delete(oldest);
  }

  #isClaimed(workId: string, attempt: number): boolean {
    return this.#claimed.has(attemptKey(workId, attempt));
  }
}

function attemptKey(workId: string, attempt: number): string {
  return `${workId} ${attempt}`;
}

/** A fault of the agent's own still ends the build, with a word about it. */
function unexpected(error: unknown): BuildOutcome {
  return { kind: 'failed', code: 'internal', message: messageOf(error).slice(0, 4_000), annotations: [], logTail: [] };
}
