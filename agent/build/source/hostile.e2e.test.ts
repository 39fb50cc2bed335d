import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, readdir, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostileFileName, hostileText, hostileWords, pwned } from '../../../test/hostile/names.ts';
import { commitTree, treeEscapes } from '../../../test/hostile/tree.ts';
import { startGitServer, type TestGitServer } from '../../testing/git-server.ts';
import { BuildFailed } from '../failure.ts';
import { fetchSource, type Checkout, type SourceOrder } from './fetch.ts';

let server: TestGitServer;
/** Everything here is the test's: what an escape would write lands in it. */
let root: string;

beforeAll(async () => {
  server = await startGitServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'landfall-hostile-')));
  return () => rm(root, { recursive: true, force: true });
});

function fetched(change: Partial<SourceOrder>): Promise<Checkout> {
  const order = { repositoryId: 7, cloneUrl: server.cloneUrl, sha: 'f'.repeat(40), token: server.token, ...change };
  return fetchSource(order, {
    cacheDir: path.join(root, 'git'),
    workDir: path.join(root, 'sources'),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    deadlineMs: 30_000,
    signal: new AbortController().signal,
    onNote: () => undefined,
  });
}

/** Null when it succeeded. */
async function failure(change: Partial<SourceOrder>): Promise<unknown> {
  try {
    await (await fetched(change)).remove();
    return null;
  } catch (error) {
    return error;
  }
}

/** Relative to the repository, to the checkouts, or to where the test runs. */
function expectNothingRun(): void {
  for (const folder of [root, path.join(root, 'git'), path.join(root, 'git', '7.git'), process.cwd()])
    expect(existsSync(path.join(folder, pwned)), folder).toBe(false);
}

describe('P66: git takes for what it is', () => {
  it('an address that looks like an option, another protocol or a command', async () => {
    const addresses = [
      ...[
        `--upload-pack=touch ${pwned}`,
        '-u',
        `ext::touch ${pwned}`,
        `ext::sh -c touch% ${pwned}`,
        'file:///etc',
        '/etc',
        '.',
      ],
      ...[`ssh://-oProxyCommand=touch ${pwned}/x`, 'git://127.0.0.1/x', `fd::17/${pwned}`, 'http://', 'https://[', ''],
    ];
    for (const cloneUrl of addresses)
      expect(await failure({ cloneUrl }), cloneUrl).toMatchObject({ code: 'source_unavailable' });
    expectNothingRun();
  });

  it('the name of a repository', async () => {
    const base = server.cloneUrl.slice(0, server.cloneUrl.lastIndexOf('/'));
    const tried = fc.asyncProperty(hostileText, async (name) => {
      expect(await failure({ cloneUrl: `${base}/${name}.git` })).toBeInstanceOf(BuildFailed);
      expectNothingRun();
    });
    await fc.assert(tried, { numRuns: 8 });
  });

  it('a commit', async () => {
    const tried = fc.asyncProperty(hostileText, async (sha) => {
      expect(await failure({ sha })).toBeInstanceOf(BuildFailed);
      expectNothingRun();
    });
    await fc.assert(tried, { numRuns: 8 });
  });

  it('the names of files and folders', async () => {
    const tree = fc.uniqueArray(fc.tuple(hostileFileName, hostileFileName), {
      selector: ([folder]) => folder,
      minLength: 1,
      maxLength: 8,
    });
    const all = hostileWords
      .filter((word) => word !== '.' && !word.includes('/'))
      .map((word) => [word, word] as [string, string]);
    const tried = fc.asyncProperty(tree, async (names) => {
      const sha = await server.commit(async (folder) => {
        for (const [outer, inner] of names) {
          await mkdir(path.join(folder, outer));
          await writeFile(path.join(folder, outer, inner), `${outer}/${inner}`);
        }
      });
      const checkout = await fetched({ sha });
      const found = await contentsOf(checkout.root);
      expect(found).toEqual(new Map(names.map(([outer, inner]) => [`${outer}/${inner}`, `${outer}/${inner}`])));
      await checkout.remove();
      expectNothingRun();
    });
    await fc.assert(tried, { numRuns: 5, examples: [[all]] });
  });
});

describe('P69: a checkout stays where it is made', () => {
  it.each(Object.keys(treeEscapes('/outside/file', '')))('with %s', async (name) => {
    const outside = path.join(root, 'outside', 'file');
    await mkdir(path.dirname(outside));
    await writeFile(outside, 'as it was');
    const sha = await commitTree(server.bare, treeEscapes(outside, 'overwritten')[name]!);
    try {
      const checkout = await fetched({ sha });
      for (const entry of await readdir(checkout.root, { recursive: true, withFileTypes: true }))
        expect(entry.isFile() || entry.isDirectory() || entry.isSymbolicLink(), entry.name).toBe(true);
      await checkout.remove();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'source_unavailable',
        message: expect.stringMatching(/^git read-tree failed|^Commit /),
      });
    }
    expect(await readdir(path.dirname(outside))).toEqual(['file']);
    expect(await readFile(outside, 'utf8')).toBe('as it was');
    expect((await readdir(root)).filter((one) => !['git', 'outside', 'sources'].includes(one))).toEqual([]);
    const hooks = await readdir(path.join(root, 'git', '7.git', 'hooks')).catch(() => []);
    expect(hooks.filter((one) => !one.endsWith('.sample'))).toEqual([]);
    expect(await readdir(path.join(root, 'sources'))).toEqual([]);
  });

  it('and names that are devices elsewhere are files here', async () => {
    const devices = ['CON', 'aux', 'nul.txt', 'COM1', 'LPT9.h', 'prn'];
    const entries = devices.map((name) => ({ name, kind: 'file', content: name }) as const);
    const checkout = await fetched({ sha: await commitTree(server.bare, entries) });
    expect(await contentsOf(checkout.root)).toEqual(new Map(devices.map((name) => [name, name])));
  });
});

/** Every file below a folder, by its path. */
async function contentsOf(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await readdir(folder, { recursive: true })) {
    const stats = await lstat(path.join(folder, name));
    if (stats.isFile()) found.set(name, await readFile(path.join(folder, name), 'utf8'));
    if (stats.isSymbolicLink()) found.set(name, await readlink(path.join(folder, name)));
  }
  return found;
}
