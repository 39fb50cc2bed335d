/** Watches that the daemon still answers while a build runs: a stopped process keeps its connection and says nothing. */

export interface LivenessOptions {
  readonly intervalMs: number;
  /** Longer than a busy machine takes to answer the simplest call. */
  readonly timeoutMs: number;
}

/** Calls `lost` once when `ask` rejects. Returns the function that ends the watch. */
export function watchLiveness(
  ask: (timeoutMs: number) => Promise<unknown>,
  lost: (error: unknown) => void,
  options: LivenessOptions,
): () => void {
  let timer: NodeJS.Timeout;
  let ended = false;
  const check = async (): Promise<void> => {
    try {
      await ask(options.timeoutMs);
      if (!ended) timer = setTimeout(() => void check(), options.intervalMs);
    } catch (error) {
      if (!ended) lost(error);
    }
  };
  timer = setTimeout(() => void check(), options.intervalMs);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
