/** What this machine has and what is left of it, for placement and for refusing builds under pressure. */
import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import type { NodeResources } from '../../core/contract/status.ts';

export interface ResourceOptions {
  /** A directory on the disk that holds images and containers. */
  dataDir: string;
  engineVersion: string | null;
}

export async function nodeResources({ dataDir, engineVersion }: ResourceOptions): Promise<NodeResources> {
  const [disk, meminfo] = await Promise.all([statfs(dataDir), readFile('/proc/meminfo', 'utf8')]);
  return {
    cpuMillis: os.availableParallelism() * 1_000,
    memoryBytes: os.totalmem(),
    memoryFreeBytes: memoryAvailable(meminfo) ?? os.freemem(),
    diskBytes: disk.blocks * disk.bsize,
    diskFreeBytes: disk.bavail * disk.bsize,
    load1: os.loadavg()[0] ?? 0,
    architecture: os.arch(),
    kernel: os.release(),
    engineVersion,
  };
}

/** Memory that can be had without swapping: free memory alone leaves out what the page cache would give back. */
export function memoryAvailable(meminfo: string): number | null {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
}

/** A disk so full that writing an image to it fails. */
export const fullDiskBytes = 64 * 1024 * 1024;

export async function isDiskFull(directory: string): Promise<boolean> {
  const disk = await statfs(directory);
  return disk.bavail * disk.bsize < fullDiskBytes;
}
