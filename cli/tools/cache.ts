/** The cache of installed tools: one folder per version, filled beside its place and moved there whole, by one process at a time. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../platform/errors/classify.ts';
import { claimFile } from '../../platform/lifecycle/claim-file.ts';
import type { Arch } from './pins.ts';

export function entryDirectory(cacheDir: string, name: string, version: string, arch: Arch): string {
  return path.join(cacheDir, name, `${version}-${arch}`);
}

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
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw error;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

export interface FillOptions {
  /** Is what lies at the entry whole and of use? */
  isFilled: (entry: string) => Promise<boolean>;
  /** Told once, of the process that is waited for; null when that does not say its number. */
  onWait: (holder: number | null) => void;
  signal?: AbortSignal | undefined;
  pollMs?: number;
}

/** Waits while another process has the claim, which the kernel takes back from one that dies. */
async function claimWhenFree(lock: string, { onWait, signal, pollMs = 250 }: FillOptions): Promise<() => void> {
  for (let waited = false; ; waited = true) {
    const claim = await claimFile(lock);
    if (claim.kind === 'ours') return claim.release;
    if (!waited) onWait(claim.holder === 0 ? null : claim.holder);
    await delay(pollMs, undefined, { signal });
  }
}

/** Runs `fill` unless the entry is filled; while another process fills it, waits for that one. What lies there broken is replaced. */
export async function fillOnce(
  entry: string,
  fill: (stage: string) => Promise<void>,
  options: FillOptions,
): Promise<void> {
  const release = await claimWhenFree(`${entry}.lock`, options);
  try {
    if (await options.isFilled(entry)) return;
    await rm(entry, { recursive: true, force: true });
    await publish(entry, fill);
  } finally {
    release();
  }
}
