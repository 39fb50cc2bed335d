import { expect, it } from 'vitest';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { LayerCache } from './layer-cache.ts';

function setUp() {
  const clock = manualClock();
  const done: string[] = [];
  const lines: string[] = [];
  const cache = new LayerCache({ clock, delayMs: 5_000, log: (line) => lines.push(line) });
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
  /** One that succeeds and has a cache to write. */
  const build = (...offered: Parameters<typeof offer>) => {
    cache.buildBegins();
    offer(...offered);
    cache.buildEnds();
  };
  return { clock, cache, offer, build, done, lines };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

it('writes some time after a build, lets go of its source, and knows the image from then on', async () => {
  const { clock, cache, build, done } = setUp();
  expect(cache.isWarm('r/web')).toBe(false);
  build('r/web', 'one');
  expect(cache.isWarm('r/web')).toBe(true);
  await clock.advance(4_999);
  expect(done).toEqual([]);
  await clock.advance(1);
  expect(done).toEqual(['write one', 'discard one']);
});

it('writes the last of several builds of an image, and each image', async () => {
  const { clock, build, done } = setUp();
  build('r/web', 'one');
  build('r/web', 'two');
  build('r/api', 'three');
  await clock.advance(5_000);
  expect(done).toEqual(['discard one', 'write two', 'discard two', 'write three', 'discard three']);
});

it('makes room for a build, and goes on after it, also when it fails and has nothing to write', async () => {
  const { clock, cache, build, done, lines } = setUp();
  let isFirst = true;
  build('r/web', 'one', async (signal) => {
    if (isFirst) await untilAborted(signal);
  });
  await clock.advance(5_000);
  build('r/api', 'two');
  isFirst = false;
  cache.buildBegins();
  await clock.advance(60_000);
  expect([done, lines]).toEqual([[], []]);
  cache.buildEnds();
  await clock.advance(5_000);
  expect(done.toSorted()).toEqual(['discard one', 'discard two', 'write one', 'write two']);
  expect(clock.armed()).toEqual([]);
});

it('does not begin again what it left for a build that has one newer', async () => {
  const { clock, cache, offer, build, done } = setUp();
  build('r/web', 'one', untilAborted);
  await clock.advance(5_000);
  cache.buildBegins();
  offer('r/web', 'two');
  await settle();
  cache.buildEnds();
  await clock.advance(5_000);
  expect(done.toSorted()).toEqual(['discard one', 'discard two', 'write two']);
});

it('waits for the end of all builds that go on at the same time', async () => {
  const { clock, cache, build, done } = setUp();
  cache.buildBegins();
  build('r/web', 'one');
  await clock.advance(60_000);
  expect(done).toEqual([]);
  cache.buildEnds();
  await clock.advance(5_000);
  expect(done).toEqual(['write one', 'discard one']);
});

it('goes on with the others when one cannot be written', async () => {
  const { clock, build, done, lines } = setUp();
  build('r/web', 'one', () => Promise.reject(new Error('disk full')));
  build('r/api', 'two');
  await clock.advance(5_000);
  expect([done, lines]).toEqual([
    ['discard one', 'write two', 'discard two'],
    ['The cache of r/web was not written: disk full'],
  ]);
});

it('lets go of everything when it stops, and begins nothing any more', async () => {
  const { clock, cache, build, done } = setUp();
  build('r/web', 'one', untilAborted);
  await clock.advance(5_000);
  cache.buildBegins();
  build('r/api', 'two');
  await cache.stop();
  cache.buildEnds();
  await settle();
  expect([done.toSorted(), clock.armed()]).toEqual([['discard one', 'discard two'], []]);
});
