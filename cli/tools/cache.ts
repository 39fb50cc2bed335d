/** The cache of installed tools: one folder per version, filled beside its place and moved there whole, by one process at a time. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Arch } from './pins.ts';

export function entryDirectory(cacheDir: string, name: string, version: string, arch: Arch): string {
  return path.join(cacheDir, name, `${version}-${arch}`);
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/**
 * Fills a new folder with `fill` and moves it to `entry`. Nobody ever sees a folder half filled, and what failed leaves nothing.
 * A folder that another process put there meanwhile is the same tool: theirs stays.
 */
export async function publish(entry: string, fill: (stage: string) => Promise<void>): Promise<void> {
  const stage = `${entry}.${randomUUID()}.partial`;
  await mkdir(stage, { recursive: true });
  try {
    await fill(stage);
    await rename(stage, entry);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Process id of the lock's holder; null when the lock is gone, or when its holder died before it wrote its id. */
async function holder(lock: string): Promise<number | null> {
  try {
    const pid = Number.parseInt(await readFile(lock, 'utf8'), 10);
    return Number.isNaN(pid) ? null : pid;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    const handle = await open(lock, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the dead holder's lock aside under a name of our own, so that of two who try only one clears it. */
async function clearStale(lock: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}.stale`;
  try {
    await rename(lock, aside);
    await rm(aside, { force: true });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** A lock file is written within milliseconds of being made; one that is still empty after this has no holder. */
const emptyLockAgeMs = 5_000;

async function isStale(lock: string): Promise<boolean> {
  const pid = await holder(lock);
  if (pid !== null) return !isAlive(pid);
  try {
    return Date.now() - (await stat(lock)).mtimeMs > emptyLockAgeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

export interface FillOptions {
  /** Is what lies at the entry whole and of use? */
  isFilled: (entry: string) => Promise<boolean>;
  onWait: (holder: number | null) => void;
  signal?: AbortSignal | undefined;
  pollMs?: number;
}

/** Runs `fill` unless the entry is filled; while another process fills it, waits for that one. What lies there broken is replaced. */
export async function fillOnce(
  entry: string,
  fill: (stage: string) => Promise<void>,
  options: FillOptions,
): Promise<void> {
  const lock = `${entry}.lock`;
  await mkdir(path.dirname(entry), { recursive: true });
  for (let waited = false; !(await tryLock(lock)); waited = true) {
    if (!waited) options.onWait(await holder(lock));
    if (await isStale(lock)) await clearStale(lock);
    else await delay(options.pollMs ?? 250, undefined, { signal: options.signal });
  }
  try {
    if (await options.isFilled(entry)) return;
    await rm(entry, { recursive: true, force: true });
    await publish(entry, fill);
  } finally {
    await rm(lock, { force: true });
  }
}
