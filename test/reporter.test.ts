import { expect, it } from 'vitest';
import { countsLine, countTests } from './reporter.ts';

it('counts tests by how they ended', () => {
  const counts = countTests([{ testStates: ['passed', 'failed', 'skipped', 'passed'], errorsOutsideTests: 0 }], 0);
  expect(countsLine(counts)).toBe('2 passed, 1 failed, 1 skipped');
});

it('counts as failed what never ran, what broke outside of a test, and what nobody handled', () => {
  const modules = [
    { testStates: ['passed', 'pending'] as const, errorsOutsideTests: 1 },
    { testStates: [], errorsOutsideTests: 1 },
  ];
  expect(countsLine(countTests(modules, 2))).toBe('1 passed, 5 failed, 0 skipped');
});
