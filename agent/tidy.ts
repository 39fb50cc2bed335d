/** Once in a while takes away what this node fetched and does not need any more: images, copies of repositories. */
import path from 'node:path';
import type { ExpectedState } from '../core/contract/expected-state.ts';
import { isDiskTight, nextLookMs } from '../core/retention/images.ts';
import { tidyMirrors } from './build/source/tidy-mirrors.ts';
import type { Clock } from './loop/clock.ts';
import { every } from './loop/every.ts';
import { nodeResources } from './node/resources.ts';
import { collectImages } from './podman/collect-images.ts';
import type { Podman } from './podman/podman.ts';
import type { PulledImages } from './podman/pulled-images.ts';

export interface TidyingOptions {
  clock: Clock;
  podman: Pick<Podman, 'images' | 'removeImage'>;
  pulled: PulledImages;
  expected: () => ExpectedState | null;
  dataDir: string;
  env: Readonly<Record<string, string>>;
  /** What was done. */
  note: (line: string) => void;
  /** What went wrong. */
  log: (line: string) => void;
}

/** A tight disk is looked at so often; the rest waits for longer. */
const lookEveryMs = nextLookMs(true);

/** The answer ends it, and what is under way of it. */
export function startTidying(options: TidyingOptions): () => Promise<void> {
  const { clock, note, log, dataDir, env } = options;
  const stopping = new AbortController();
  let imagesAt: Date | null = null;

  const images = async (now: Date): Promise<void> => {
    const expected = options.expected();
    const isTight = isDiskTight(await nodeResources({ dataDir, engineVersion: null }));
    const isDue = imagesAt === null || now.getTime() - imagesAt.getTime() >= nextLookMs(isTight);
    if (expected === null || !isDue) return;
    imagesAt = now;
    const removed = await collectImages(options, { expected, now, isTight });
    if (removed.length > 0) note(`Removed ${removed.length} images that nothing needs any more.`);
  };
  const mirrors = async (now: Date): Promise<void> => {
    const cacheDir = path.join(dataDir, 'git');
    const done = await tidyMirrors({ cacheDir, env, signal: stopping.signal, log }, now);
    for (const [name, care] of Object.entries(done))
      note(care === 'pack' ? `Packed git/${name}.` : `Removed git/${name}.`);
  };
  const stopImages = every({ clock, milliseconds: lookEveryMs, log }, () => images(clock.now()));
  const stopMirrors = every({ clock, milliseconds: lookEveryMs, log }, () => mirrors(clock.now()));
  return async () => {
    stopping.abort(new Error('The agent stops.'));
    await Promise.all([stopImages(), stopMirrors()]);
  };
}
