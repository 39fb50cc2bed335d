/** Waits for the first good answer of a URL. */
import { setTimeout } from 'node:timers/promises';

/** Asks every 5 ms. Throws when there is none within 30 s. */
export async function answersAt(url: string): Promise<void> {
  const until = performance.now() + 30_000;
  while (performance.now() < until) {
    try {
      if ((await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok) return;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
    await setTimeout(5);
  }
  throw new Error(`${url} does not answer.`);
}
