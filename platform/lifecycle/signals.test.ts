import { expect, it } from 'vitest';
import { isInsisting } from './signals.ts';

it('takes a second Ctrl-C for a person who insists, and nothing that the kernel or a shell says twice', () => {
  expect(isInsisting('SIGINT', 5_000)).toBe(true);
  expect(isInsisting('SIGINT', 20)).toBe(false);
  expect(isInsisting('SIGTERM', 1_300)).toBe(false);
});
