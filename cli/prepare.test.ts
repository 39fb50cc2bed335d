import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { linkPostgresLibraries } from './prepare.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'landfall-links-'));
  mkdirSync(path.join(folder, 'native', 'lib'), { recursive: true });
  writeFileSync(path.join(folder, 'native', 'lib', 'libpq.so.5.18'), 'the library');
});

afterEach(() => rmSync(folder, { recursive: true }));

it('makes the links that the package lists, and makes them again without complaint', () => {
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  writeFileSync(path.join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  linkPostgresLibraries(folder);
  linkPostgresLibraries(folder);
  expect(readFileSync(path.join(folder, 'native', 'lib', 'libpq.so.5'), 'utf8')).toBe('the library');
});

it('does nothing for a package without such a list', () => {
  expect(() => linkPostgresLibraries(folder)).not.toThrow();
});
