/** Does something again and again as long as other work goes on. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `beat` every so many milliseconds until the work has ended, never two at once, and gives what the work gives. When a beat
 * fails, that is thrown once the work has ended: nothing is left that goes on unseen.
 */
export async function meanwhile<T>(work: Promise<T>, everyMs: number, beat: () => Promise<void>): Promise<T> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const over = work.then(end, end);
  const until = { signal: ended.signal, ref: false };
  try {
    while (await sleep(everyMs, true, until).catch(() => false)) await beat();
  } finally {
    await over;
  }
  return work;
}
