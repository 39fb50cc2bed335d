import { expect, it } from 'vitest';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { layerCache } from './layer-cache.ts';

function setUp() {
  const clock = manualClock();
  const done: string[] = [];
  const lines: string[] = [];
  const cache = layerCache({ clock, delayMs: 5_000, log: (line) => lines.push(line) });
  const offer = (
    imageName: string,
    name: string,
    write: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ) =>
    cache.offer({
      imageName,
      write: async (signal) => {
        await write(signal);
        done.push(`write ${name}`);
      },
      discard: () => Promise.resolve(void done.push(`discard ${name}`)),
    });
  return { clock, cache, offer, done, lines };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

it('writes some time after a build, and knows the image from then on', async () => {
  const { clock, cache, offer, done } = setUp();
  expect(cache.isWarm('r/web')).toBe(false);
  offer('r/web', 'one');
  expect(cache.isWarm('r/web')).toBe(true);
  await clock.advance(4_999);
  expect(done).toEqual([]);
  await clock.advance(1);
  expect(done).toEqual(['write one']);
});

it('writes the last of several builds of an image, and each image', async () => {
  const { clock, offer, done } = setUp();
  offer('r/web', 'one');
  offer('r/web', 'two');
  offer('r/api', 'three');
  await clock.advance(5_000);
  expect(done).toEqual(['discard one', 'write two', 'write three']);
});

it('makes room for a build, and goes on after the next', async () => {
  const { clock, cache, offer, done, lines } = setUp();
  offer('r/web', 'one', untilAborted);
  await clock.advance(5_000);
  offer('r/api', 'two');
  cache.interrupt();
  await clock.advance(60_000);
  expect([done, lines]).toEqual([[], []]);
  offer('r/db', 'three');
  await clock.advance(5_000);
  expect(done).toEqual(['write two', 'write three']);
});

it('goes on with the others when one cannot be written', async () => {
  const { clock, offer, done, lines } = setUp();
  offer('r/web', 'one', () => Promise.reject(new Error('disk full')));
  offer('r/api', 'two');
  await clock.advance(5_000);
  expect([done, lines]).toEqual([['write two'], ['The cache of r/web was not written: disk full']]);
});

it('lets go of everything when it stops', async () => {
  const { clock, cache, offer, done } = setUp();
  offer('r/web', 'one', untilAborted);
  await clock.advance(5_000);
  offer('r/api', 'two');
  await cache.stop();
  await settle();
  expect([done, clock.armed()]).toEqual([['discard two'], []]);
});
