import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimFile } from '../../platform/lifecycle/claim-file.ts';
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

/** The lock's file stays. */
const inCache = (): string[] => readdirSync(path.dirname(entry)).filter((name) => name !== '1.4.2-amd64.lock');

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
  expect(inCache()).toEqual(['1.4.2-amd64']);
});

it('leaves nothing of a fill that failed, and can be filled afterwards', async () => {
  const broken = async (stage: string): Promise<void> => {
    await writeFile(path.join(stage, 'tool'), 'half');
    throw new Error('no space left');
  };
  await expect(fillOnce(entry, broken, options())).rejects.toThrow('no space left');
  expect(inCache()).toEqual([]);
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

it.each([
  ['whose number another process has by now', '1'],
  ['that never wrote its number', ''],
])('is not kept waiting by what an installer left that was killed and %s', async (_which, number) => {
  await fillOnce(entry, fillWith('bad'), options());
  writeFileSync(`${entry}.lock`, number);
  const waitedFor: (number | null)[] = [];
  const signal = AbortSignal.timeout(2_000);
  await fillOnce(entry, fillWith('good'), options({ signal, onWait: (pid) => waitedFor.push(pid) }));
  expect(await holds(entry, 'good')).toBe(true);
  expect(waitedFor).toEqual([]);
});

it('stops waiting when it is aborted', async () => {
  await fillOnce(entry, fillWith('bad'), options());
  const claim = await claimFile(`${entry}.lock`);
  const abort = new AbortController();
  const waitedFor: (number | null)[] = [];
  const onWait = (pid: number | null): void => {
    waitedFor.push(pid);
    abort.abort();
  };
  const waiting = fillOnce(entry, fillWith('good'), options({ signal: abort.signal, onWait }));
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  expect(waitedFor).toEqual([process.pid]);
  if (claim.kind === 'ours') claim.release();
});
