import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { expecting } from '../../test/core/facts.ts';
import { collectImages } from './collect-images.ts';
import { EngineError } from './errors.ts';
import { pulledImages } from './pulled-images.ts';

let dataDir: string;
const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
const now = new Date('2030-01-10T00:00:00Z');
const ago = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);

beforeEach(async () => {
  lines.length = 0;
  dataDir = await mkdtemp(path.join(tmpdir(), 'landfall-images-'));
  return () => rm(dataDir, { recursive: true, force: true });
});

it('knows after a restart what it pulled, and when it did first', async () => {
  const pulled = await pulledImages(dataDir, log);
  await Promise.all([pulled.note('r/a@1', ago(3)), pulled.note('r/b@2', ago(2)), pulled.note('r/a@1', ago(1))]);
  await pulled.forget(['r/b@2']);
  expect([...(await pulledImages(dataDir, log)).all()]).toEqual([['r/a@1', ago(3)]]);
  expect(lines).toEqual([]);
});

it('removes nothing that a torn file does not tell of, and says so', async () => {
  await writeFile(path.join(dataDir, 'pulled-images.json'), '{"r/a@1": 7');
  expect((await pulledImages(dataDir, log)).all().size).toBe(0);
  expect(lines).toEqual([expect.stringContaining('is not understood and left aside')]);
});

it('P81: removes what nothing needs, goes on behind what cannot be removed, and forgets what others took', async () => {
  const pulled = await pulledImages(dataDir, log);
  for (const name of ['r/busy@1', 'r/broken@2', 'r/old@3', 'r/taken@4', 'r/new@5'])
    await pulled.note(name, name === 'r/new@5' ? ago(0.5) : ago(48));
  const engine = new Set(['r/busy@1', 'r/broken@2', 'r/old@3', 'docker.io/library/postgres:17']);
  const failure = (status: number): EngineError => new EngineError('engine_refused', 'no', { status });
  const failing = new Map([
    ['r/busy@1', failure(409)],
    ['r/broken@2', failure(500)],
  ]);
  const podman = {
    images: () => Promise.resolve([...engine].map((name) => ({ Id: name, Names: [name], Containers: 0 }))),
    removeImage: (name: string) => {
      const error = failing.get(name);
      if (error !== undefined) return Promise.reject(error);
      engine.delete(name);
      return Promise.resolve();
    },
  };
  const expected = { ...expecting(), keptImages: [] };
  expect(await collectImages({ podman, pulled, log }, { expected, now, isTight: false })).toEqual(['r/old@3']);
  expect([...engine]).toEqual(['r/busy@1', 'r/broken@2', 'docker.io/library/postgres:17']);
  expect(lines).toEqual(['The image r/broken@2 could not be removed: no']);
  expect([...pulled.all().keys()].sort()).toEqual(['r/broken@2', 'r/busy@1', 'r/new@5']);
});
