import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

const limits = { firstMs: 100, maxMs: 1_000 };

it('doubles up to its longest', () => {
  expect([1, 2, 3, 4, 5, 1_000].map((failures) => backoffMs(failures, limits, 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
});

it('spreads over the upper half of the wait', () => {
  expect([0, 0.5, 1].map((random) => backoffMs(3, limits, random))).toEqual([200, 300, 400]);
});
