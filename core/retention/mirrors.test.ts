import { expect, it } from 'vitest';
import { mirrorCare } from './mirrors.ts';

const now = new Date('2030-02-01T00:00:00Z');
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000);

it.each([
  ['keep', { usedAt: daysAgo(29), packs: 50, looseObjects: 5_000 }],
  ['pack', { usedAt: daysAgo(0), packs: 51, looseObjects: 0 }],
  ['pack', { usedAt: daysAgo(0), packs: 0, looseObjects: 5_001 }],
  ['remove', { usedAt: daysAgo(31), packs: 1, looseObjects: 0 }],
] as const)('is to %s', (care, mirror) => {
  expect(mirrorCare(mirror, now)).toBe(care);
});
