import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askedVersion } from './version.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'landfall-version-'));
  writeFileSync(path.join(root, 'package.json'), '{ "name": "landfall", "version": "4.5.6" }');
});

afterEach(() => rmSync(root, { recursive: true }));

it.each(['--version', '-V'])('answers %s with the version of the package', (flag) => {
  expect(askedVersion([flag], root)).toBe('4.5.6');
});

it.each([[[]], [['status']], [['status', '--version']]])('leaves %j to the commands', (args) => {
  expect(askedVersion(args, root)).toBeNull();
});
