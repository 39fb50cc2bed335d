/** Removes images that core/retention lets go of. */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { unneededImages } from '../../core/retention/images.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { isEngineStatus } from './errors.ts';
import type { Podman } from './podman.ts';
import type { PulledImages } from './pulled-images.ts';

export interface CollectOptions {
  podman: Pick<Podman, 'images' | 'removeImage'>;
  pulled: PulledImages;
  log: (line: string) => void;
}

export interface Moment {
  expected: ExpectedState;
  now: Date;
  isTight: boolean;
}

/** Gives the names that are gone. One that cannot be removed is said, and tried again the next time. */
export async function collectImages({ podman, pulled, log }: CollectOptions, moment: Moment): Promise<string[]> {
  const images = await podman.images();
  const held = images.map(({ Names, Containers }) => ({ names: Names ?? [], containers: Containers }));
  const removed: string[] = [];
  for (const name of unneededImages({ images: held, pulled: pulled.all() }, moment.expected, moment)) {
    try {
      await podman.removeImage(name);
      removed.push(name);
    } catch (error) {
      // A container that was made meanwhile uses it.
      if (isEngineStatus(error, 409)) continue;
      log(`The image ${name} could not be removed: ${messageOf(error)}`);
    }
  }
  const there = new Set(held.flatMap(({ names }) => names));
  const gone = [...pulled.all()].filter(([name, at]) => !there.has(name) && isSettled(at, moment.now));
  await pulled.forget([...removed, ...gone.map(([name]) => name)]);
  return removed;
}

/** A pull takes minutes at most: what is not there after an hour was removed by others, or never came. */
function isSettled(pulledAt: Date, now: Date): boolean {
  return now.getTime() - pulledAt.getTime() > 3_600_000;
}
