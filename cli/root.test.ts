import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageRoot } from './root.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'landfall-root-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

it('finds this package from its sources', () => {
  expect(existsSync(path.join(packageRoot(), 'cli', 'root.ts'))).toBe(true);
});

it('passes by packages of other names, and folders without one', () => {
  const inner = path.join(directory, 'node_modules', 'other', 'dist');
  mkdirSync(inner, { recursive: true });
  writeFileSync(path.join(directory, 'package.json'), '{ "name": "landfall" }');
  writeFileSync(path.join(directory, 'node_modules', 'other', 'package.json'), '{ "name": "other" }');
  expect(packageRoot(inner)).toBe(directory);
});

it('says so when there is none', () => {
  expect(() => packageRoot(directory)).toThrow(/No package.json of landfall lies at or above/);
});
