/** Brings the exact commit onto the disk: a bare cache per repository, and a checkout without `.git` per build. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { withCommit, type CacheOptions, type CommitOrder } from './cache.ts';
import { localGitEnv } from './git-env.ts';
import { git } from './git.ts';

export interface SourceOrder extends CommitOrder {
  repositoryId: number;
}

export interface SourceOptions extends CacheOptions {
  /** Holds `<repository id>.git`. */
  cacheDir: string;
  /** Holds one directory per checkout; cleared when the agent starts. */
  workDir: string;
  /** A line for the build's log. */
  onNote: (line: string) => void;
}

export interface Checkout {
  /** Absolute, without links. */
  root: string;
  remove: () => Promise<void>;
}

export async function fetchSource(order: SourceOrder, options: SourceOptions): Promise<Checkout> {
  const cache = path.join(options.cacheDir, `${order.repositoryId}.git`);
  return await withCommit({ cache, order }, options, () => checkOut(cache, order.sha, options));
}

async function checkOut(cache: string, sha: string, options: SourceOptions): Promise<Checkout> {
  await mkdir(options.workDir, { recursive: true, mode: 0o700 });
  const directory = await mkdtemp(path.join(options.workDir, 'source-'));
  const root = path.join(directory, 'tree');
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await mkdir(root);
    const env = {
      ...localGitEnv(options.env),
      GIT_DIR: cache,
      GIT_WORK_TREE: root,
      GIT_INDEX_FILE: path.join(directory, 'index'),
    };
    // `core.bare` of the cache would contradict the work tree.
    await git(['-c', 'core.bare=false', 'read-tree', '--reset', '-u', sha], { ...options, env, cwd: root });
    await noteSubmodules(env, options);
    return { root, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Submodules would need rights to other repositories: their directories stay empty, and the log says so. */
async function noteSubmodules(env: Record<string, string>, options: SourceOptions): Promise<void> {
  const { stdout } = await git(['-c', 'core.bare=false', 'ls-files', '--stage', '-z'], { ...options, env });
  const submodules = stdout.split('\0').filter((entry) => entry.startsWith('160000 '));
  for (const entry of submodules.slice(0, 20)) {
    options.onNote(`Submodule ${entry.split('\t')[1] ?? ''} is not fetched; its directory is empty.`);
  }
}
