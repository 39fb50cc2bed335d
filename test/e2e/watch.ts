/** Keeps requesting pages while something else happens. */
import { setTimeout as delay } from 'node:timers/promises';
import { pageAt } from './harness.ts';

export interface Sample {
  /** Milliseconds since 1970, before the request. */
  at: number;
  /** By URL; null: no answer. */
  pages: Record<string, string | null>;
}

/** Requests every URL that is known, again and again, until it is stopped. */
export function watch(first: string): { add: (url: string) => void; stop: () => Promise<Sample[]> } {
  const urls = new Set([first]);
  const samples: Sample[] = [];
  let going = true;
  const work = async (): Promise<void> => {
    while (going) {
      const at = Date.now();
      const pages = await Promise.all([...urls].map(async (url) => [url, await pageAt(url)] as const));
      samples.push({ at, pages: Object.fromEntries(pages) });
      await delay(10);
    }
  };
  const done = work();
  return {
    add: (url) => void urls.add(url),
    async stop() {
      going = false;
      await done;
      return samples;
    },
  };
}
