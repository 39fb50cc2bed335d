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

export interface LayerCacheOptions {
  clock: Clock;
  /** Between the end of the last build and the writing: its rollout comes first. */
  delayMs: number;
  log: (line: string) => void;
}

export class LayerCache {
  readonly #options: LayerCacheOptions;
  readonly #warm = new Set<string>();
  readonly #waiting = new Map<string, CacheWrite>();
  #builds = 0;
  #isStopped = false;
  #abort = new AbortController();
  #cancelTimer = (): void => undefined;
  #underWay: Promise<void> = Promise.resolve();

  constructor(options: LayerCacheOptions) {
    this.#options = options;
  }

  /** This node has built the image since the agent started: its own cache is better than the registry's. */
  isWarm(imageName: string): boolean {
    return this.#warm.has(imageName);
  }

  /** A build begins: writing makes room for it. */
  buildBegins(): void {
    this.#builds += 1;
    this.#makeRoom();
  }

  /** It has ended, however: what waits is written when no other has begun by then. */
  buildEnds(): void {
    this.#builds -= 1;
    if (this.#builds === 0 && !this.#isStopped) this.#writeLater();
  }

  /** To be written after the build that goes on; of several of one image only the last is. */
  offer(write: CacheWrite): void {
    this.#warm.add(write.imageName);
    const replaced = this.#waiting.get(write.imageName);
    this.#waiting.set(write.imageName, write);
    if (replaced !== undefined) void this.#letGo(replaced);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#makeRoom();
    await this.#underWay;
    await Promise.all([...this.#waiting.values()].map((one) => this.#letGo(one)));
    this.#waiting.clear();
  }

  #makeRoom(): void {
    this.#cancelTimer();
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  #writeLater(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(this.#options.delayMs, () => {
      const { signal } = this.#abort;
      this.#underWay = this.#underWay.then(() => this.#writeAll(signal));
    });
  }

  async #writeAll(signal: AbortSignal): Promise<void> {
    for (const [imageName, one] of this.#waiting) {
      if (signal.aborted) return;
      this.#waiting.delete(imageName);
      const isInterrupted = (await this.#write(one, signal)) === 'interrupted';
      if (isInterrupted && !this.#waiting.has(imageName)) this.#waiting.set(imageName, one);
      else await this.#letGo(one);
    }
  }

  async #write({ imageName, write }: CacheWrite, signal: AbortSignal): Promise<'over' | 'interrupted'> {
    try {
      await write(signal);
    } catch (error) {
      if (signal.aborted) return 'interrupted';
      // The next build of this image writes it again.
      this.#options.log(`The cache of ${imageName} was not written: ${messageOf(error)}`);
    }
    return 'over';
  }

  async #letGo({ imageName, discard }: CacheWrite): Promise<void> {
    try {
      await discard();
    } catch (error) {
      this.#options.log(`The source of ${imageName} was not removed: ${messageOf(error)}`);
    }
  }
}
