import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { entryDirectory, fillOnce, type FillOptions } from './cache.ts';

let cache: string;
let entry: string;

beforeEach(() => {
  cache = mkdtempSync(path.join(os.tmpdir(), 'landfall-cache-'));
  entry = entryDirectory(cache, 'builder', '1.4.2', 'amd64');
});

afterEach(() => rmSync(cache, { recursive: true }));

async function holds(directory: string, content: string): Promise<boolean> {
  const text = await readFile(path.join(directory, 'tool'), 'utf8').catch(() => null);
  return text === content;
}

const options = (fields: Partial<FillOptions> = {}): FillOptions => ({
  isFilled: (directory) => holds(directory, 'good'),
  onWait: () => undefined,
  pollMs: 5,
  ...fields,
});

const fillWith =
  (content: string) =>
  (stage: string): Promise<void> =>
    writeFile(path.join(stage, 'tool'), content);

it('fills a folder once', async () => {
  await fillOnce(entry, fillWith('good'), options());
  await fillOnce(entry, () => Promise.reject(new Error('filled twice')), options());
  expect(readFileSync(path.join(entry, 'tool'), 'utf8')).toBe('good');
  expect(readdirSync(path.dirname(entry))).toEqual(['1.4.2-amd64']);
});

it('leaves nothing of a fill that failed, and can be filled afterwards', async () => {
  const broken = async (stage: string): Promise<void> => {
    await writeFile(path.join(stage, 'tool'), 'half');
    throw new Error('no space left');
  };
  await expect(fillOnce(entry, broken, options())).rejects.toThrow('no space left');
  expect(readdirSync(path.dirname(entry))).toEqual([]);
  await fillOnce(entry, fillWith('good'), options());
  expect(await holds(entry, 'good')).toBe(true);
});

it('replaces what lies there broken', async () => {
  await fillOnce(entry, fillWith('bad'), options());
  await fillOnce(entry, fillWith('good'), options());
  expect(await holds(entry, 'good')).toBe(true);
});

it('lets one of two fill while the other waits and says for whom', async () => {
  const filled: string[] = [];
  const waitedFor: (number | null)[] = [];
  const fill = async (stage: string): Promise<void> => {
    filled.push(stage);
    await new Promise((resolve) => setImmediate(resolve));
    await fillWith('good')(stage);
  };
  const waiting = options({ onWait: (pid) => waitedFor.push(pid) });
  await Promise.all([fillOnce(entry, fill, waiting), fillOnce(entry, fill, waiting), fillOnce(entry, fill, waiting)]);
  expect(filled).toHaveLength(1);
  expect(waitedFor.length).toBeGreaterThan(0);
});

it('takes over from a process that died while it filled', async () => {
  await fillOnce(entry, fillWith('bad'), options());
  writeFileSync(`${entry}.lock`, String(2 ** 22 + 1)); // above the largest process id of Linux
  await fillOnce(entry, fillWith('good'), options());
  expect(await holds(entry, 'good')).toBe(true);
  expect(readdirSync(path.dirname(entry))).toEqual(['1.4.2-amd64']);
});

it('takes over a lock whose holder died before it wrote its name', async () => {
  await fillOnce(entry, fillWith('bad'), options());
  writeFileSync(`${entry}.lock`, '');
  await utimes(`${entry}.lock`, new Date(0), new Date(0));
  await fillOnce(entry, fillWith('good'), options());
  expect(await holds(entry, 'good')).toBe(true);
});

it('stops waiting when it is aborted', async () => {
  await fillOnce(entry, fillWith('bad'), options());
  writeFileSync(`${entry}.lock`, String(process.pid));
  const abort = new AbortController();
  const waiting = fillOnce(entry, fillWith('good'), options({ signal: abort.signal, onWait: () => abort.abort() }));
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
