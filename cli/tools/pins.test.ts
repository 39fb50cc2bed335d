import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { findPin, pins, pinsFor, type Pin } from './pins.ts';
import { fits, parseVersion } from './version.ts';

const goModule = (name: string, file: string): string => path.join(import.meta.dirname, 'go', name, file);

const all: readonly Pin[] = pins;
const archives = all.flatMap((pin) => Object.values(pin.release?.archives ?? {}));
const pinnedExactly = all.flatMap((pin) => (pin.version === null ? [] : [{ ...pin, version: pin.version }]));
const builtWithGo = all.flatMap((pin) => (pin.go === undefined ? [] : [{ ...pin, go: pin.go }]));

it.each(archives)('P70: $url has the SHA-256 of its bytes pinned and comes over TLS', ({ url, sha256 }) => {
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(new URL(url).protocol).toBe('https:');
});

it.each(pinnedExactly)('$name is pinned at a version that fits', ({ version, fits: range }) => {
  expect(fits(parseVersion(version) ?? [0, 0, 0], range)).toBe(true);
});

it.each(all)('$name can come from somewhere', (pin) => {
  expect(pin.release ?? pin.go ?? pin.debian).toBeDefined();
});

it.each(builtWithGo)('P70: $name is built from a go.mod that names it and a go.sum with checksums', (pin) => {
  const goMod = readFileSync(goModule(pin.name, 'go.mod'), 'utf8');
  expect(Object.keys(pin.go.packages)).toEqual(pin.programs.map((program) => program.name));
  for (const built of Object.values(pin.go.packages)) expect(goMod).toContain(built);
  expect(readFileSync(goModule(pin.name, 'go.sum'), 'utf8')).toMatch(/ h1:/);
});

it.each(builtWithGo.filter((pin) => pin.name !== 'wireguard-go'))(
  '$name has the pinned version in its go.mod',
  (pin) => {
    expect(readFileSync(goModule(pin.name, 'go.mod'), 'utf8')).toContain(` v${pin.version ?? ''}`);
  },
);

it('finds a tool by its name and by those of its programs', () => {
  expect(findPin('buildkit')?.name).toBe('buildkit');
  expect(findPin('buildctl')?.name).toBe('buildkit');
  expect(findPin('docker')).toBeNull();
});

it('knows no program twice', () => {
  const programs = all.flatMap((pin) => pin.programs.map((program) => program.name));
  expect(new Set(programs).size).toBe(programs.length);
});

it('asks for everything in the test suite that `up` needs', () => {
  expect(pinsFor('test')).toEqual(expect.arrayContaining(pinsFor('up')));
});
