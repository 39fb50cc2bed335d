import { expect, it } from 'vitest';
import { isGivenUp } from './part.ts';

it('is started again after ends that are rare, and given up after four within a minute', () => {
  expect(isGivenUp([0], 0)).toBe(false);
  expect(isGivenUp([0, 10_000, 20_000], 20_000)).toBe(false);
  expect(isGivenUp([0, 10_000, 20_000, 59_000], 59_000)).toBe(true);
  expect(isGivenUp([0, 10_000, 20_000, 61_000], 61_000)).toBe(false);
});
