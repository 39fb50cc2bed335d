import { expect, it } from 'vitest';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { alarm } from './alarm.ts';

const inOneSecond = (now: Date): Date => new Date(now.getTime() + 1_000);

it('P09: answers at once for what rang before anybody waited', async () => {
  const clock = manualClock();
  const bell = alarm(clock);
  bell.ring('engine_event');
  bell.ring('health');
  bell.ring('engine_event');
  expect(await bell.wait(inOneSecond(clock.now()))).toEqual(['engine_event', 'health']);
});

it('wakes who waits, and leaves no timer behind', async () => {
  const clock = manualClock();
  const bell = alarm(clock);
  const waiting = bell.wait(inOneSecond(clock.now()));
  bell.ring('work');
  expect(await waiting).toEqual(['work']);
  expect(clock.armed()).toEqual([]);
});

it('answers by itself when the time has come', async () => {
  const clock = manualClock();
  const bell = alarm(clock);
  let reasons: string[] | null = null;
  void bell.wait(inOneSecond(clock.now())).then((rung) => (reasons = rung));
  await clock.advance(999);
  expect(reasons).toBeNull();
  await clock.advance(1);
  await settle();
  expect(reasons).toEqual(['timer']);
});
