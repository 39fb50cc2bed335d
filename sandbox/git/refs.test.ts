import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/harness.ts';
import { join } from 'node:path';
import { git } from './git.ts';
import { refChanges, resolveCommit, zeroSha } from './refs.ts';
import { commitFiles, initRepository } from './write.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let directory: string;
let sha: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  directory = join(folder.path, 'r.git');
  await initRepository(directory, 'main');
  const author = { name: 'Ada', email: 'ada@example.test', at: 0 };
  const commit = { branch: 'main', parent: null, message: 'm', author };
  sha = await commitFiles(directory, { ...commit, files: { 'a "quoted" \\ name\n.txt': 'a' } });
  await git(directory, ['tag', '-a', '-m', 'annotated', 'v1', sha], {
    environment: { GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.test' },
  });
});

afterAll(() => folder.remove());

it('resolves branches, tags, full refs and SHAs', async () => {
  for (const name of ['main', 'heads/main', 'refs/heads/main', 'v1', 'refs/tags/v1', sha, sha.slice(0, 8), 'HEAD'])
    expect([name, await resolveCommit(directory, name)]).toEqual([name, sha]);
});

it('P66: never evaluates what only looks like a ref', async () => {
  const hostile = [
    '-h',
    '--all',
    '',
    'main^',
    'main~0',
    'main:a',
    ':/m',
    '@{0}',
    'main..v1',
    '^main',
    'a b',
    'main\n',
    '*',
  ];
  for (const name of hostile) expect([name, await resolveCommit(directory, name)]).toEqual([name, null]);
});

it('tells what changed between two listings', () => {
  const before = new Map([
    ['refs/heads/a', '1'],
    ['refs/heads/b', '2'],
    ['refs/heads/c', '3'],
  ]);
  const after = new Map([
    ['refs/heads/b', '2'],
    ['refs/heads/c', '4'],
    ['refs/heads/d', '5'],
  ]);
  expect(refChanges(before, after)).toEqual([
    { ref: 'refs/heads/a', before: '1', after: zeroSha },
    { ref: 'refs/heads/c', before: '3', after: '4' },
    { ref: 'refs/heads/d', before: zeroSha, after: '5' },
  ]);
});
