import { expect, it } from 'vitest';
import { buildPressure, buildSlots } from './pressure.ts';

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

it('P80: makes no builds while it is short, and again when it is not', () => {
  const resources = {
    cpuMillis: 1,
    memoryBytes: 1,
    diskBytes: 1,
    load1: 0,
    architecture: 'x',
    kernel: '6',
    engineVersion: '4',
  };
  const free = { ...resources, memoryFreeBytes: gigabyte, diskFreeBytes: 10 * gigabyte };
  expect(buildSlots(free, 2)).toBe(2);
  expect(buildSlots({ ...free, memoryFreeBytes: 0 }, 2)).toBe(0);
});
