/** Brings the exact commit onto the disk: a bare cache per repository, and a checkout without `.git` per build. */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { CannotRun, run, type RunResult } from '../../process/run.ts';
import { BuildFailed } from '../failure.ts';
import { fetchGitEnv, localGitEnv } from './git-env.ts';

export interface SourceOrder {
  repositoryId: number;
  cloneUrl: string;
  sha: string;
  token: string;
}

export interface SourceOptions {
  /** Holds `<repository id>.git`. */
  cacheDir: string;
  /** Holds one directory per checkout. */
  workDir: string;
  env: Readonly<Record<string, string>>;
  deadlineMs: number;
  signal: AbortSignal;
  /** A line for the build's log. */
  onNote: (line: string) => void;
}

export interface Checkout {
  /** Absolute, without links. */
  root: string;
  remove: () => Promise<void>;
}

/** One fetch at a time per cache: git's own locks would make the second one fail. */
const queues = new Map<string, Promise<unknown>>();

export async function fetchSource(order: SourceOrder, options: SourceOptions): Promise<Checkout> {
  const cache = path.join(options.cacheDir, `${order.repositoryId}.git`);
  const before = queues.get(cache) ?? Promise.resolve();
  const mine = before.then(() => fetchCommit(cache, order, options));
  queues.set(
    cache,
    mine.catch(() => undefined),
  );
  await mine;
  return await checkOut(cache, order.sha, options);
}

async function fetchCommit(cache: string, order: SourceOrder, options: SourceOptions): Promise<void> {
  await mkdir(options.cacheDir, { recursive: true, mode: 0o700 });
  if (!(await exists(path.join(cache, 'HEAD')))) {
    await git(['init', '--quiet', '--bare', cache], localGitEnv(options.env), options);
  }
  const env = fetchGitEnv({ base: options.env, cloneUrl: order.cloneUrl, token: order.token });
  // The commit gets a name, so that the next fetch only asks for what is new.
  const refspec = `+${order.sha}:refs/landfall/newest`;
  const argv = [
    `--git-dir=${cache}`,
    'fetch',
    '--quiet',
    '--depth=1',
    '--no-tags',
    '--no-recurse-submodules',
    '--force',
  ];
  const fetched = await gitResult([...argv, '--', order.cloneUrl, refspec], env, options);
  if (fetched.code !== 0) {
    throw new BuildFailed(
      'source_unavailable',
      `Commit ${order.sha.slice(0, 12)} could not be fetched from ${order.cloneUrl}: ${lastLine(fetched.stderr)} ` +
        'Does the commit still exist, and may the app read the repository?',
    );
  }
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
    await git(['-c', 'core.bare=false', 'read-tree', '--reset', '-u', sha], env, { ...options, cwd: root });
    await noteSubmodules(env, options);
    return { root, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Submodules would need rights to other repositories: their directories stay empty, and the log says so. */
async function noteSubmodules(env: Record<string, string>, options: SourceOptions): Promise<void> {
  const { stdout } = await git(['-c', 'core.bare=false', 'ls-files', '--stage', '-z'], env, options);
  const submodules = stdout.split('\0').filter((entry) => entry.startsWith('160000 '));
  for (const entry of submodules.slice(0, 20)) {
    options.onNote(`Submodule ${entry.split('\t')[1] ?? ''} is not fetched; its directory is empty.`);
  }
}

async function git(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: SourceOptions & { cwd?: string },
): Promise<RunResult> {
  const result = await gitResult(args, env, options);
  if (result.code === 0) return result;
  const verb = args.find((one) => !one.startsWith('-') && !one.includes('=')) ?? '';
  throw new BuildFailed('source_unavailable', `git ${verb} failed: ${lastLine(result.stderr)}`);
}

async function gitResult(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: SourceOptions & { cwd?: string },
): Promise<RunResult> {
  try {
    const { deadlineMs, signal, cwd } = options;
    return await run({ argv: ['git', ...args], env, deadlineMs, signal, ...(cwd === undefined ? {} : { cwd }) });
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    throw new BuildFailed('builder_unavailable', `${error.message} Install git on this node.`, { cause: error });
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 500) ?? '';
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
