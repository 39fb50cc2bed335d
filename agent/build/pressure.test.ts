import { expect, it } from 'vitest';
import { buildPressure } from './pressure.ts';

const gigabyte = 1024 ** 3;

it('P80: refuses builds when memory or disk run short, and says what is left', () => {
  expect(buildPressure({ memoryFreeBytes: gigabyte, diskFreeBytes: 10 * gigabyte })).toBeNull();
  expect(buildPressure({ memoryFreeBytes: 100 * 1024 ** 2, diskFreeBytes: 10 * gigabyte })).toMatch(
    /^only 100 MiB of memory/,
  );
  expect(buildPressure({ memoryFreeBytes: gigabyte, diskFreeBytes: gigabyte / 2 })).toBe(
    'only 512 MiB of the disk are free.',
  );
});
