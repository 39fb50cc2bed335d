import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { machineFacts, takeBack } from './facts.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'landfall-facts-'));
});

afterEach(() => rmSync(root, { recursive: true }));

const modeOf = (file: string): number => statSync(file).mode & 0o777;

it('makes the data folder for its owner alone, and takes it back empty', () => {
  const dataDir = path.join(root, 'above', 'data');
  const made: string[] = [];
  expect(machineFacts(dataDir, made)).toMatchObject({ dataDir, dataWritable: true });
  expect(modeOf(dataDir)).toBe(0o700);
  takeBack(made);
  expect(() => modeOf(path.dirname(dataDir))).toThrow('ENOENT');
});

it('leaves the rights of a folder that is there as they are', () => {
  chmodSync(root, 0o755);
  machineFacts(root, []);
  expect(modeOf(root)).toBe(0o755);
});
