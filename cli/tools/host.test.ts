import { expect, it } from 'vitest';
import { archOf } from './host.ts';

it('names processors as the archives do', () => {
  expect(archOf('x64')).toBe('amd64');
  expect(archOf('arm64')).toBe('arm64');
  expect(archOf('riscv64')).toBeNull();
});
