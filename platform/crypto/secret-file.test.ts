import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { testFolder } from '../../test/folder.ts';
import { secretFile } from './secret-file.ts';

const fresh = (): string => path.join(testFolder(), 'data', 'secret');

it('is made once, for its owner alone, and leaves no draft', () => {
  const file = fresh();
  expect(secretFile(file, () => 'first')).toBe('first');
  expect(secretFile(file, () => 'second')).toBe('first');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(path.dirname(file))).toEqual(['secret']);
});

it('is the same for two that find nothing there and both make one', () => {
  const file = fresh();
  const other: string[] = [];
  const own = secretFile(file, () => {
    // Another process is through while this one makes its own.
    other.push(secretFile(file, () => 'of the first'));
    return 'of the second';
  });
  expect([own, ...other]).toEqual(['of the first', 'of the first']);
  expect(readFileSync(file, 'utf8')).toBe('of the first');
  expect(readdirSync(path.dirname(file))).toEqual(['secret']);
});

it('is not written over, empty as it may be', () => {
  const file = fresh();
  secretFile(file, () => 'x');
  writeFileSync(file, '');
  expect(secretFile(file, () => 'y')).toBe('');
});
