import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { startGitServer, type TestGitServer } from '../../testing/git-server.ts';
import { fetchSource, type Checkout, type SourceOptions } from './fetch.ts';

const repositoryId = 42;
let server: TestGitServer;
let data: string;
let cache: string;

beforeAll(async () => {
  server = await startGitServer();
});
beforeEach(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'landfall-source-'));
  cache = path.join(data, 'git', `${repositoryId}.git`);
  return () => rm(data, { recursive: true, force: true });
});
afterAll(() => server.stop());

const fetched = (sha: string, change: Partial<SourceOptions> = {}): Promise<Checkout> =>
  fetchSource(
    { repositoryId, cloneUrl: server.cloneUrl, sha, token: server.token },
    {
      cacheDir: path.join(data, 'git'),
      workDir: path.join(data, 'sources'),
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      deadlineMs: 30_000,
      signal: new AbortController().signal,
      onNote: () => undefined,
      ...change,
    },
  );
const commit = (text: string): Promise<string> => server.commit((folder) => writeFile(path.join(folder, 'text'), text));
const textOf = async ({ root }: Checkout): Promise<string> => readFile(path.join(root, 'text'), 'utf8');
/** Everything below the cache that git leaves behind when it is killed. */
const leftovers = async (): Promise<string[]> =>
  (await readdir(path.dirname(cache), { recursive: true })).filter((name) => /\.lock$|\/tmp_/.test(name));

it('fetches a commit after a fetch that was killed half-way, and keeps nothing of it', async () => {
  const large = await server.commit((folder) => writeFile(path.join(folder, 'large'), randomBytes(40_000_000)));
  const superseded = new AbortController();
  const killed = fetched(large, { signal: superseded.signal });
  killed.catch(() => undefined);
  await vi.waitUntil(() => existsSync(path.join(cache, 'shallow.lock')), { timeout: 20_000, interval: 2 });
  superseded.abort(new Error('superseded'));
  await expect(killed).rejects.toThrow('superseded');
  expect(await leftovers()).not.toEqual([]);

  expect(await textOf(await fetched(await commit('one')))).toBe('one');
  expect(await leftovers()).toEqual([]);
});

it.each([
  ['cannot be locked', () => writeFile(path.join(cache, 'refs', 'landfall', 'newest.lock'), '')],
  ['lost its configuration', () => rm(path.join(cache, 'config'))],
  ['lost its objects folder', () => rm(path.join(cache, 'objects'), { recursive: true })],
  ['has an empty HEAD', () => truncate(path.join(cache, 'HEAD'))],
  ['lost what its names lead to', () => removeObjects()],
  ['has a torn file', () => tearObjects()],
])('makes a cache anew that %s, once, before a build fails', async (_what, breakIt) => {
  await fetched(await commit('one'));
  const sha = await commit('two');
  await fetched(sha);
  await breakIt();
  expect(await textOf(await fetched(sha))).toBe('two');
  expect(await textOf(await fetched(await commit('three')))).toBe('three');
  expect(await readdir(path.dirname(cache))).toEqual([path.basename(cache)]);
});

it('keeps the cache when the commit cannot be had, and says why', async () => {
  await fetched(await commit('one'));
  const before = await objects();
  await expect(fetched('f'.repeat(40))).rejects.toThrow(
    /^Commit ffffffffffff could not be fetched from http.*not our ref/,
  );
  expect(await objects()).toEqual(before);
  expect(await readdir(path.dirname(cache))).toEqual([path.basename(cache)]);
});

it('checks out of one cache while it is made anew', async () => {
  const shas = [await commit('one'), await commit('two'), await commit('three')];
  await fetched(shas[0] ?? '');
  await tearObjects();
  const texts = await Promise.all(shas.map(async (sha) => textOf(await fetched(sha))));
  expect(texts).toEqual(['one', 'two', 'three']);
});

const objects = async (): Promise<string[]> => {
  const entries = await readdir(path.join(cache, 'objects'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
};
async function removeObjects(): Promise<void> {
  for (const file of await objects()) await rm(file);
}
/** As a power cut leaves what was not flushed. */
async function tearObjects(): Promise<void> {
  for (const file of await objects()) await chmod(file, 0o600).then(() => truncate(file));
}
