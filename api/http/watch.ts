/** Waiting on state: subscribe once, read, and wait for what came since; nothing that comes between is missed (P09). */
import type { Wake } from '../../platform/wake/wake.ts';

export interface Watch {
  /** Resolves with the topics that woke since the last call; with none at the time-out, or when the signal aborts. */
  next(wait: { timeoutMs: number; signal: AbortSignal }): Promise<ReadonlySet<string>>;
  close(): void;
}

export function watch(wake: Pick<Wake, 'subscribe'>, topics: readonly string[]): Watch {
  let woken = new Set<string>();
  let waiting: (() => void) | null = null;
  const ends = topics.map((topic) =>
    wake.subscribe(topic, () => {
      woken.add(topic);
      waiting?.();
    }),
  );
  return {
    next({ timeoutMs, signal }) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          waiting = null;
          resolve(woken);
          woken = new Set();
        };
        const timer = setTimeout(done, timeoutMs);
        signal.addEventListener('abort', done);
        waiting = done;
        if (woken.size > 0 || signal.aborted) done();
      });
    },
    close() {
      for (const end of ends) end();
    },
  };
}

/** Aborts when the client is gone, or the API stops. */
export function goneSignal(reply: { raw: NodeJS.EventEmitter }, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  stopping.addEventListener('abort', abort);
  reply.raw.once('close', () => {
    stopping.removeEventListener('abort', abort);
    abort();
  });
  if (stopping.aborted) abort();
  return gone.signal;
}
