/** Packs the copies of repositories that have grown by many fetches, and removes those that no build has used for long. */
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { mirrorCare, type Mirror, type MirrorCare } from '../../../core/retention/mirrors.ts';
import { ifThere } from '../../../platform/files/if-there.ts';
import { BuildFailed } from '../failure.ts';
import { alone } from './cache.ts';
import { localGitEnv } from './git-env.ts';
import { git } from './git.ts';

export interface TidyOptions {
  /** Holds `<repository id>.git`. */
  cacheDir: string;
  env: Readonly<Record<string, string>>;
  signal: AbortSignal;
  log: (line: string) => void;
}

const gitDeadlineMs = 600_000;

/** Gives what was done to each that was not just kept. */
export async function tidyMirrors(options: TidyOptions, now: Date): Promise<Record<string, MirrorCare>> {
  const done: Record<string, MirrorCare> = {};
  for (const name of (await namesIn(options.cacheDir)).filter((one) => one.endsWith('.git')).sort()) {
    if (options.signal.aborted) break;
    const cache = path.join(options.cacheDir, name);
    const care = await alone(cache, () => tidy(cache, options, now));
    if (care !== 'keep') done[name] = care;
  }
  return done;
}

/** Looked at when it is this copy's turn: a build may have used it while it was waited for. */
async function tidy(cache: string, options: TidyOptions, now: Date): Promise<MirrorCare> {
  try {
    const care = mirrorCare(await mirrorOf(cache, options), now);
    if (care === 'pack') await gitIn(cache, ['gc', '--quiet', '--prune=now'], options);
    if (care === 'remove') await rm(cache, { recursive: true, force: true });
    return care;
  } catch (error) {
    if (options.signal.aborted) return 'keep';
    if (!(error instanceof BuildFailed)) throw error;
    options.log(`${path.basename(cache)} is removed, to be fetched anew: ${error.message}`);
    await rm(cache, { recursive: true, force: true });
    return 'remove';
  }
}

/** Only the commit that was fetched last has a name: what no build will ask for is dropped with `gc`. */
async function gitIn(cache: string, args: readonly string[], { env, signal }: TidyOptions): Promise<string> {
  const call = { env: localGitEnv(env), deadlineMs: gitDeadlineMs, signal };
  return (await git([`--git-dir=${cache}`, ...args], call)).stdout;
}

async function mirrorOf(cache: string, options: TidyOptions): Promise<Mirror> {
  // Written by every fetch; a copy without it was never fetched into.
  const usedAt = (await timeOf(path.join(cache, 'FETCH_HEAD'))) ?? (await timeOf(cache)) ?? new Date(0);
  const counts = await gitIn(cache, ['count-objects', '-v'], options);
  const numberOf = (what: string): number => Number(new RegExp(`^${what}: (\\d+)$`, 'm').exec(counts)?.[1] ?? 0);
  return { usedAt, packs: numberOf('packs'), looseObjects: numberOf('count') };
}

async function namesIn(directory: string): Promise<string[]> {
  return (await ifThere(readdir(directory))) ?? [];
}

async function timeOf(file: string): Promise<Date | null> {
  return (await ifThere(stat(file)))?.mtime ?? null;
}
