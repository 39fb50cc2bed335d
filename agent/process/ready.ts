/** Waits until a program that was just started answers. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';

export interface ReadyOptions {
  child: Child;
  withinMs: number;
  /** Resolves when it answers. */
  ping: () => Promise<unknown>;
  /** The error for a program that ended, or did not answer in time. */
  notReady: (cause: unknown) => Error;
}

const everyMs = 20;

/** Stops the program before it rejects. */
export async function untilReady(options: ReadyOptions): Promise<void> {
  const deadline = performance.now() + options.withinMs;
  const ended = new AbortController();
  void options.child.exited.then(() => ended.abort());
  let cause: unknown = null;
  while (performance.now() < deadline && !ended.signal.aborted) {
    try {
      await options.ping();
      return;
    } catch (error) {
      cause = error;
      await delay(everyMs);
    }
  }
  await options.child.stop(0);
  throw options.notReady(cause);
}
