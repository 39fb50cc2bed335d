/** Makes commits without a working tree: seeds, merges, squashes and rebases. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, GitFailure, gitText } from './git.ts';
import { gitOrNull } from './git.ts';

export interface Author {
  readonly name: string;
  readonly email: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export async function initRepository(directory: string, defaultBranch: string): Promise<void> {
  await git('/', ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, directory]);
  const settings: Readonly<Record<string, string>> = {
    'http.receivepack': 'true',
    'uploadpack.allowAnySHA1InWant': 'true',
    'uploadpack.allowFilter': 'true',
    'receive.hideRefs': 'refs/pull',
    'gc.auto': '0',
  };
  for (const [name, value] of Object.entries(settings)) await git(directory, ['config', name, value]);
}

function identity(author: Author): string {
  return `${author.name} <${author.email}> ${Math.floor(author.at / 1000)} +0000`;
}

function data(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

export interface FilesCommit {
  readonly branch: string;
  readonly parent: string | null;
  readonly message: string;
  readonly author: Author;
  /** New content by path; `null` removes the file. */
  readonly files: Readonly<Record<string, string | null>>;
}

/** Adds one commit to a branch and answers its SHA. */
export async function commitFiles(directory: string, commit: FilesCommit): Promise<string> {
  const ref = `refs/heads/${commit.branch}`;
  const changes = Object.entries(commit.files).map(([path, content]) =>
    content === null
      ? Buffer.from(`D ${JSON.stringify(path)}\n`)
      : Buffer.concat([Buffer.from(`M 100644 inline ${JSON.stringify(path)}\n`), data(content)]),
  );
  const stream = Buffer.concat([
    Buffer.from(`commit ${ref}\nauthor ${identity(commit.author)}\ncommitter ${identity(commit.author)}\n`),
    data(commit.message),
    Buffer.from(commit.parent === null ? '' : `from ${commit.parent}\n`),
    ...changes,
    Buffer.from('\n'),
  ]);
  await git(directory, ['fast-import', '--quiet', '--force'], { input: stream });
  return (await gitText(directory, ['rev-parse', ref])).trim();
}

/** The tree of merging two commits, or `null` when they conflict. */
export async function mergedTree(directory: string, ours: string, theirs: string): Promise<string | null> {
  const output = await gitOrNull(directory, ['merge-tree', '--write-tree', ours, theirs]);
  return output?.split('\n')[0] ?? null;
}

export interface TreeCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: Author;
}

function identityEnvironment(author: Author): Record<string, string> {
  const date = `${Math.floor(author.at / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_COMMITTER_DATE: date,
  };
}

export async function commitTree(directory: string, commit: TreeCommit): Promise<string> {
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  const output = await gitText(directory, ['commit-tree', commit.tree, ...parents], {
    input: commit.message,
    environment: identityEnvironment(commit.author),
  });
  return output.trim();
}

export interface Rebase {
  readonly onto: string;
  readonly head: string;
  readonly committer: Author;
}

/** The head's commits replayed on another commit, or `null` when one of them conflicts. */
export async function rebase(directory: string, { onto, head, committer }: Rebase): Promise<string | null> {
  const worktree = await mkdtemp(join(tmpdir(), 'sandbox-rebase-'));
  const { GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL, GIT_COMMITTER_DATE } = identityEnvironment(committer);
  const environment = Object.fromEntries(
    Object.entries({ GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL, GIT_COMMITTER_DATE }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  try {
    await git(directory, ['worktree', 'add', '--quiet', '--detach', worktree, head]);
    await git(worktree, ['rebase', '--quiet', onto], { environment });
    return (await gitText(worktree, ['rev-parse', 'HEAD'])).trim();
  } catch (error) {
    if (error instanceof GitFailure && error.exitCode === 1) return null;
    throw error;
  } finally {
    await rm(worktree, { recursive: true, force: true });
    await git(directory, ['worktree', 'prune']);
  }
}
