import { expect, it } from 'vitest';
import { servedPush } from './served.ts';

const stages = {
  received: 120,
  queued: 10,
  building: 30,
  built: 900,
  pulling: 20,
  starting: 40,
  stopping_old: 5,
  running: 500,
};

it('counts from the end of the push until the new release takes traffic, the webhook included', () => {
  expect(servedPush({ stages }, 100)).toEqual({
    stages: { received: 20, queued: 10, building: 30, built: 900, pulling: 20, starting: 40, stopping_old: 5 },
    totalMs: 1_025,
  });
});

it('counts from the webhook where that came before the end of the push', () => {
  expect(servedPush({ stages }, 150).totalMs).toBe(1_005);
});

it('refuses what it does not know, and a push that never served', () => {
  expect(() => servedPush({ stages: { received: 1, mystery: 1, stopping_old: 1 } }, 0)).toThrow('mystery');
  expect(() => servedPush({ stages: { received: 1, queued: 1 } }, 0)).toThrow('queued');
});
