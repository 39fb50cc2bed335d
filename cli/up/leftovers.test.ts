import { expect, it } from 'vitest';
import { killOutright } from './leftovers.ts';

/** Above the largest process id of Linux. */
const nobody = 2 ** 22 + 1;

it('takes a process for ended that ends between the last look and the signal', () => {
  expect(() => killOutright(nobody)).not.toThrow();
});

it('hides nothing else that keeps it from killing', () => {
  expect(() => killOutright(Number.NaN)).toThrow();
});
