/**
 * The cache that builds of one image share through the registry: read when this node has not built the image yet, written when nothing
 * else is to do. So a push never waits for it, and another node does not begin from nothing.
 */
import { messageOf } from '../../platform/errors/classify.ts';
import type { Clock } from '../loop/clock.ts';

/** What writes the cache of one finished build. */
export interface CacheWrite {
  imageName: string;
  /** Writes it, unless the signal comes first; it may then be called again. */
  write: (signal: AbortSignal) => Promise<void>;
  /** Lets go of the build's source. */
  discard: () => Promise<void>;
}

export interface LayerCache {
  /** This node has built the image since the agent started: its own cache is better than the registry's. */
  readonly isWarm: (imageName: string) => boolean;
  /** A build begins: writing makes room for it. */
  readonly buildBegins: () => void;
  /** It has ended, however: what waits is written when no other has begun by then. */
  readonly buildEnds: () => void;
  /** To be written after the build that goes on; of several of one image only the last is. */
  readonly offer: (write: CacheWrite) => void;
  readonly stop: () => Promise<void>;
}

export interface LayerCacheOptions {
  clock: Clock;
  /** Between the end of the last build and the writing: its rollout comes first. */
  delayMs: number;
  log: (line: string) => void;
}

export function layerCache({ clock, delayMs, log }: LayerCacheOptions): LayerCache {
  const warm = new Set<string>();
  const waiting = new Map<string, CacheWrite>();
  let builds = 0;
  let stopped = false;
  let abort = new AbortController();
  let cancelTimer = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();

  const makeRoom = (): void => {
    cancelTimer();
    abort.abort();
    abort = new AbortController();
  };
  const later = (): void => {
    cancelTimer();
    cancelTimer = clock.after(delayMs, () => {
      const { signal } = abort;
      underWay = underWay.then(() => writeAll(signal));
    });
  };
  const writeAll = async (signal: AbortSignal): Promise<void> => {
    for (const [imageName, one] of waiting) {
      if (signal.aborted) return;
      waiting.delete(imageName);
      if ((await writeOne(one, signal)) === 'interrupted' && !waiting.has(imageName)) waiting.set(imageName, one);
      else await letGo(one);
    }
  };
  const letGo = async ({ imageName, discard }: CacheWrite): Promise<void> => {
    try {
      await discard();
    } catch (error) {
      log(`The source of ${imageName} was not removed: ${messageOf(error)}`);
    }
  };
  const writeOne = async ({ imageName, write }: CacheWrite, signal: AbortSignal): Promise<'over' | 'interrupted'> => {
    try {
      await write(signal);
    } catch (error) {
      if (signal.aborted) return 'interrupted';
      // The next build of this image writes it again.
      log(`The cache of ${imageName} was not written: ${messageOf(error)}`);
    }
    return 'over';
  };
  return {
    isWarm: (imageName) => warm.has(imageName),
    buildBegins: () => {
      builds += 1;
      makeRoom();
    },
    buildEnds: () => {
      builds -= 1;
      if (builds === 0 && !stopped) later();
    },
    offer: (write) => {
      warm.add(write.imageName);
      const replaced = waiting.get(write.imageName);
      waiting.set(write.imageName, write);
      if (replaced !== undefined) void letGo(replaced);
    },
    stop: async () => {
      stopped = true;
      makeRoom();
      await underWay;
      await Promise.all([...waiting.values()].map(letGo));
      waiting.clear();
    },
  };
}
