/** Who listens to which topic in this process. */

export type WakeListener = () => void;

export type WakeCause = 'woken' | 'timeout' | 'aborted';

export interface WaitOptions {
  timeoutMs: number;
  /** Ends the wait early, when whoever waits has gone. */
  signal?: AbortSignal;
}

export class Subscriptions {
  readonly #listeners = new Map<string, Set<WakeListener>>();

  /** Returns what ends the subscription. */
  add(topic: string, listener: WakeListener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    // Wrapped, so that the same function can subscribe twice.
    const entry: WakeListener = () => listener();
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0 && this.#listeners.get(topic) === listeners) this.#listeners.delete(topic);
    };
  }

  wake(topic: string): void {
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener();
  }

  wakeAll(): void {
    for (const topic of [...this.#listeners.keys()]) this.wake(topic);
  }

  /** Subscribes at the call: make it before reading the state, and await it after (P09). */
  waitFor(topic: string, { timeoutMs, signal }: WaitOptions): Promise<WakeCause> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve('aborted');
        return;
      }
      const end = (cause: WakeCause): void => {
        unsubscribe();
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        resolve(cause);
      };
      const aborted = (): void => end('aborted');
      const unsubscribe = this.add(topic, () => end('woken'));
      const timer = setTimeout(() => end('timeout'), timeoutMs);
      signal?.addEventListener('abort', aborted);
    });
  }

  get size(): number {
    return this.#listeners.size;
  }
}
