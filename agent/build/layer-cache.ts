/**
 * The cache that builds of one image share through the registry: read when this node has not built the image yet, written when nothing
 * else is to do. So a push never waits for it, and another node does not begin from nothing.
 */
import type { Clock } from '../loop/clock.ts';

/** What writes the cache of one finished build. */
export interface CacheWrite {
  imageName: string;
  /** Writes it, unless the signal comes first, and lets go of the build's source. */
  write: (signal: AbortSignal) => Promise<void>;
  /** Lets go of the build's source. */
  discard: () => Promise<void>;
}

export interface LayerCache {
  /** This node has built the image since the agent started: its own cache is better than the registry's. */
  readonly isWarm: (imageName: string) => boolean;
  /** A build begins: writing makes room for it. */
  readonly interrupt: () => void;
  /** A build has succeeded; of several of one image only the last is written. */
  readonly offer: (write: CacheWrite) => void;
  readonly stop: () => Promise<void>;
}

export interface LayerCacheOptions {
  clock: Clock;
  /** Between the end of a build and the writing: its rollout comes first. */
  delayMs: number;
  log: (line: string) => void;
}

export function layerCache({ clock, delayMs, log }: LayerCacheOptions): LayerCache {
  const warm = new Set<string>();
  const waiting = new Map<string, CacheWrite>();
  let abort = new AbortController();
  let cancelTimer = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();

  const later = (): void => {
    cancelTimer();
    cancelTimer = clock.after(delayMs, () => {
      underWay = writeAll(abort.signal);
    });
  };
  const writeAll = async (signal: AbortSignal): Promise<void> => {
    for (const [imageName, one] of waiting) {
      if (signal.aborted) return;
      waiting.delete(imageName);
      await writeOne(one, signal);
    }
  };
  const writeOne = async ({ imageName, write }: CacheWrite, signal: AbortSignal): Promise<void> => {
    try {
      await write(signal);
    } catch (error) {
      // The next build of this image writes it again.
      const why = error instanceof Error ? error.message : String(error);
      if (!signal.aborted) log(`The cache of ${imageName} was not written: ${why}`);
    }
  };
  return {
    isWarm: (imageName) => warm.has(imageName),
    interrupt: () => {
      cancelTimer();
      abort.abort();
      abort = new AbortController();
    },
    offer: (write) => {
      warm.add(write.imageName);
      const replaced = waiting.get(write.imageName);
      waiting.set(write.imageName, write);
      void replaced?.discard();
      later();
    },
    stop: async () => {
      cancelTimer();
      abort.abort();
      await underWay;
      await Promise.all([...waiting.values()].map(({ discard }) => discard()));
      waiting.clear();
    },
  };
}
