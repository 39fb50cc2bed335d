/** Keeps the newest expected state: from the disk at first, then by long poll, one at a time, with backoff while nobody answers. */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { admitGeneration } from '../../core/plan/plan.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { Clock } from '../loop/clock.ts';
import { backoffMs } from './backoff.ts';
import type { Control } from './control.ts';
import { ControlRefused } from './errors.ts';
import type { ExpectedCache } from './expected-cache.ts';

export interface ExpectedSource {
  readonly current: () => ExpectedState | null;
  /** Starts a long poll unless one is under way. */
  readonly poll: () => void;
  /** Settles when what is known is on the disk. */
  readonly stop: () => Promise<void>;
}

export interface ExpectedSourceOptions {
  control: Pick<Control, 'expectedState'>;
  cache: ExpectedCache;
  clock: Clock;
  random: () => number;
  /** How long the control plane may hold a poll when nothing is new. */
  waitMs: number;
  /** After every poll that was answered, changed or not. */
  onAnswer: (state: ExpectedState) => void;
  log: (line: string) => void;
}

const backoff = { firstMs: 500, maxMs: 30_000 };

export async function expectedSource(options: ExpectedSourceOptions): Promise<ExpectedSource> {
  const abort = new AbortController();
  let current = await options.cache.read();
  let etag: string | null = null;
  let failures = 0;
  let underWay = false;
  let written: Promise<void> = Promise.resolve();

  // What is expected now is not to wait for the disk, nor to be lost to a full one.
  const keep = (state: ExpectedState): void => {
    written = written
      .then(() => options.cache.write(state))
      .catch((error: unknown) => options.log(`Expected state could not be kept on the disk: ${messageOf(error)}`));
  };
  const ask = async (): Promise<void> => {
    const answer = await options.control.expectedState({ etag, waitMs: options.waitMs, signal: abort.signal });
    if (answer.changed) {
      const admitted = admitGeneration(current, answer.state);
      if (!admitted.ok) throw new ControlRefused(409, null, admitted.message);
      for (const message of newProblems(current, answer.state))
        options.log(`Left out by the control plane: ${message}`);
      current = answer.state;
      etag = answer.etag;
      keep(answer.state);
    }
    if (current !== null) options.onAnswer(current);
  };
  const poll = (): void => {
    if (underWay || abort.signal.aborted) return;
    underWay = true;
    ask().then(
      () => {
        if (failures > 0) options.log('The control plane answers again.');
        failures = 0;
        underWay = false;
      },
      (error: unknown) => {
        failures += 1;
        if (abort.signal.aborted) return;
        if (failures === 1) options.log(`${messageOf(error)} The node goes on from what it knows.`);
        options.clock.after(backoffMs(failures, backoff, options.random()), () => {
          underWay = false;
          poll();
        });
      },
    );
  };
  const stop = async (): Promise<void> => {
    abort.abort();
    await written;
  };
  return { current: () => current, poll, stop };
}

/** Of services that the control plane could not tell this node of. What runs of them is left running. */
function newProblems(before: ExpectedState | null, { problems }: ExpectedState): string[] {
  const known = new Set(before?.problems.map(({ message }) => message));
  return [...new Set(problems.map(({ message }) => message))].filter((message) => !known.has(message));
}
