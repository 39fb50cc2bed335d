/** The bare copy of one repository on this node: fetched into by one build at a time, checked out of by many. */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ifThere } from '../../../platform/files/if-there.ts';
import { BuildFailed } from '../failure.ts';
import { fetchGitEnv, localGitEnv } from './git-env.ts';
import { complaintOf, gitResult } from './git.ts';

export interface CommitOrder {
  cloneUrl: string;
  sha: string;
  token: string;
}

export interface CacheOptions {
  /** Holds what is made anew until it is whole; cleared when the agent starts. */
  workDir: string;
  env: Readonly<Record<string, string>>;
  deadlineMs: number;
  signal: AbortSignal;
  onNote: (line: string) => void;
}

interface Users {
  /** Settles when the last fetch that asked has had its turn: git's own locks would make two at once fail. */
  lastTurn: Promise<unknown>;
  readonly readers: Set<Promise<unknown>>;
}

const usersOf = new Map<string, Users>();

/**
 * Has the commit fetched and hands the copy to `read`. A copy that was broken, however, is made anew, once. Rejects with
 * BuildFailed `source_unavailable` when the commit cannot be had.
 */
export async function withCommit<T>(
  { cache, order }: { cache: string; order: CommitOrder },
  options: CacheOptions,
  read: () => Promise<T>,
): Promise<T> {
  const { reading } = await inTurn(cache, read, () => bring(cache, order, options));
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof BuildFailed) || error.code !== 'source_unavailable') throw error;
    options.onNote(`The copy of the repository on this node is made anew. ${error.message}`);
    return await (
      await inTurn(cache, read, () => makeAnew(cache, order, options))
    ).reading;
  }
}

/** Reading begins within the turn, so that whoever comes next knows of it. */
async function inTurn<T>(
  cache: string,
  read: () => Promise<T>,
  change: () => Promise<void>,
): Promise<{ reading: Promise<T> }> {
  const users = usersOf.get(cache) ?? { lastTurn: Promise.resolve(), readers: new Set() };
  usersOf.set(cache, users);
  const turn = users.lastTurn.then(async () => {
    await change();
    const reading = read();
    users.readers.add(reading);
    const leave = (): void => void users.readers.delete(reading);
    reading.then(leave, leave);
    return { reading };
  });
  users.lastTurn = turn.catch(() => undefined);
  return await turn;
}

/** Runs while no build fetches into the copy or reads it; builds that come meanwhile wait. */
export async function alone<T>(cache: string, act: () => Promise<T>): Promise<T> {
  const users = usersOf.get(cache) ?? { lastTurn: Promise.resolve(), readers: new Set() };
  usersOf.set(cache, users);
  const turn = users.lastTurn.then(async () => {
    await Promise.allSettled(users.readers);
    return await act();
  });
  users.lastTurn = turn.catch(() => undefined);
  return await turn;
}

async function bring(cache: string, order: CommitOrder, options: CacheOptions): Promise<void> {
  await removeInterrupted(cache);
  const complaint = await fetchInto(cache, order, options);
  if (complaint === null) return;
  // The reason may lie in the copy or on the other side: a new copy tells, and this one stays until there is one.
  options.onNote(`A new copy of the repository is made. ${complaint}`);
  await makeAnew(cache, order, options);
}

async function makeAnew(cache: string, order: CommitOrder, options: CacheOptions): Promise<void> {
  await mkdir(options.workDir, { recursive: true, mode: 0o700 });
  const fresh = await mkdtemp(path.join(options.workDir, 'repository-'));
  try {
    const complaint = await fetchInto(fresh, order, options);
    if (complaint !== null) throw unavailable(order, complaint);
    await Promise.allSettled([...(usersOf.get(cache)?.readers ?? [])]);
    await rm(cache, { recursive: true, force: true });
    await rename(fresh, cache);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Null when the commit is there, else what git says. */
async function fetchInto(directory: string, order: CommitOrder, options: CacheOptions): Promise<string | null> {
  const call = { deadlineMs: options.deadlineMs, signal: options.signal };
  await mkdir(path.dirname(directory), { recursive: true, mode: 0o700 });
  if (!(await namesIn(directory, false)).includes('HEAD')) {
    const made = await gitResult(['init', '--quiet', '--bare', directory], { ...call, env: localGitEnv(options.env) });
    if (made.code !== 0) return complaintOf(made);
  }
  const env = fetchGitEnv({ base: options.env, cloneUrl: order.cloneUrl, token: order.token });
  const flags = ['--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--force'];
  // The commit gets a name, so that the next fetch only asks for what is new.
  const refspec = `+${order.sha}:refs/landfall/newest`;
  const argv = [`--git-dir=${directory}`, 'fetch', ...flags, '--', order.cloneUrl, refspec];
  const fetched = await gitResult(argv, { ...call, env });
  return fetched.code === 0 ? null : complaintOf(fetched);
}

/** What a git that was killed left behind: in our turn nobody else holds a lock or writes a pack. */
async function removeInterrupted(cache: string): Promise<void> {
  const isLeft = (name: string): boolean => name.endsWith('.lock') || path.basename(name).startsWith('tmp_');
  const within = async (folder: string, recursive: boolean): Promise<void> => {
    const names = await namesIn(path.join(cache, folder), recursive);
    await Promise.all(names.filter(isLeft).map((name) => rm(path.join(cache, folder, name), { force: true })));
  };
  await Promise.all([within('.', false), within('refs', true), within('objects/pack', false)]);
}

async function namesIn(directory: string, recursive: boolean): Promise<string[]> {
  return (await ifThere(readdir(directory, { recursive }))) ?? [];
}

function unavailable(order: CommitOrder, complaint: string): BuildFailed {
  const commit = `Commit ${order.sha.slice(0, 12)} could not be fetched from ${order.cloneUrl}`;
  const question = 'Does the commit still exist, and may the app read the repository?';
  return new BuildFailed('source_unavailable', `${commit}: ${complaint} ${question}`);
}
