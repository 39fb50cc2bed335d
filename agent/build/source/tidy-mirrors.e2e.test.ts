import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startGitServer, type TestGitServer } from '../../testing/git-server.ts';
import { alone } from './cache.ts';
import { fetchSource, type Checkout } from './fetch.ts';
import { tidyMirrors } from './tidy-mirrors.ts';

const repositoryId = 43;
const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
let server: TestGitServer;
let data: string;
let cache: string;
const lines: string[] = [];

beforeAll(async () => {
  server = await startGitServer();
});
beforeEach(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'landfall-mirrors-'));
  cache = path.join(data, 'git', `${repositoryId}.git`);
  return () => rm(data, { recursive: true, force: true });
});
afterAll(() => server.stop());

const fetched = (sha: string): Promise<Checkout> =>
  fetchSource(
    { repositoryId, cloneUrl: server.cloneUrl, sha, token: server.token },
    {
      cacheDir: path.join(data, 'git'),
      workDir: path.join(data, 'sources'),
      env,
      deadlineMs: 30_000,
      signal: new AbortController().signal,
      onNote: () => undefined,
    },
  );
const commit = (text: string): Promise<string> => server.commit((folder) => writeFile(path.join(folder, 'text'), text));
const tidy = (now = new Date()) =>
  tidyMirrors(
    { cacheDir: path.join(data, 'git'), env, signal: new AbortController().signal, log: (line) => lines.push(line) },
    now,
  );
const packs = async (): Promise<number> =>
  (await readdir(path.join(cache, 'objects', 'pack'))).filter((name) => name.endsWith('.pack')).length;

/** A pack of one object that no commit leads to, as of an earlier fetch. */
function addPack(text: string): void {
  const git = (args: string[], input: string): string =>
    execFileSync('git', [`--git-dir=${cache}`, ...args], { input, encoding: 'utf8', stdio: 'pipe' });
  git(
    ['pack-objects', '--quiet', path.join(cache, 'objects', 'pack', 'pack')],
    git(['hash-object', '-w', '--stdin'], text),
  );
}

it('packs a copy that many fetches have made slow, and builds go on from it', async () => {
  const sha = await commit('one');
  await fetched(sha);
  expect(await tidy()).toEqual({});
  for (let count = 0; count < 51; count++) addPack(`object ${count}`);
  let leave = (): void => undefined;
  const build = alone(cache, () => new Promise<void>((resolve) => (leave = resolve)));
  const tidied = tidy();
  await expect.poll(() => leave.length).toBe(1);
  expect(await packs()).toBe(51);
  leave();
  await build;
  expect(await tidied).toEqual({ [`${repositoryId}.git`]: 'pack' });
  expect(await packs()).toBe(1);
  expect(await readdir((await fetched(sha)).root)).toContain('text');
  expect(await readdir((await fetched(await commit('two'))).root)).toContain('text');
});

it('removes a copy that no build has used for 30 days, and one that cannot be packed', async () => {
  await fetched(await commit('one'));
  const monthAgo = new Date(Date.now() - 31 * 86_400_000);
  await utimes(path.join(cache, 'FETCH_HEAD'), monthAgo, monthAgo);
  expect(await tidy()).toEqual({ [`${repositoryId}.git`]: 'remove' });
  expect(await readdir(path.join(data, 'git'))).toEqual([]);
  await fetched(await commit('two'));
  expect(await tidy()).toEqual({});
  for (let count = 0; count < 51; count++) addPack(`object ${count}`);
  await writeFile(path.join(cache, 'refs', 'landfall', 'newest'), `${'1'.repeat(40)}\n`);
  expect(await tidy()).toEqual({ [`${repositoryId}.git`]: 'remove' });
  expect(lines).toEqual([expect.stringContaining(`${repositoryId}.git is removed, to be fetched anew: git gc failed`)]);
  await fetched(await commit('three'));
});

it('has nothing to do on a node that never built', async () => {
  expect(await tidy()).toEqual({});
});
