/** Makes and removes cgroups with limits, on the separate hierarchies of v1 and the one of v2. */
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface CgroupLimits {
  cpuMillis: number | null;
  memoryBytes: number | null;
  /** Share of the processor under contention; 1000 is what every other cgroup has. */
  cpuWeight: number | null;
}

export interface CgroupWrite {
  file: string;
  value: string;
}

export interface CgroupHost {
  version: 1 | 2;
  /** Where the hierarchies are mounted: `/sys/fs/cgroup`. */
  mount: string;
}

const controllers = ['cpu', 'memory', 'pids'] as const;
const periodMicros = 100_000;

/** The directories of a cgroup: one per controller on v1. `name` is absolute: `/landfall-1/builds`. */
export function cgroupDirectories(host: CgroupHost, name: string): string[] {
  if (host.version === 2) return [path.join(host.mount, name)];
  return controllers.map((controller) => path.join(host.mount, controller, name));
}

export function procsFiles(host: CgroupHost, name: string): string[] {
  return cgroupDirectories(host, name).map((directory) => path.join(directory, 'cgroup.procs'));
}

/** What is written, in this order, once the directories are there. */
export function limitWrites(host: CgroupHost, name: string, limits: CgroupLimits): CgroupWrite[] {
  return host.version === 2 ? unifiedWrites(host, name, limits) : separateWrites(host, name, limits);
}

function unifiedWrites(host: CgroupHost, name: string, limits: CgroupLimits): CgroupWrite[] {
  const at = (file: string): string => path.join(host.mount, name, file);
  const { cpuMillis, memoryBytes, cpuWeight } = limits;
  return [
    ...(cpuMillis === null ? [] : [{ file: at('cpu.max'), value: `${quotaMicros(cpuMillis)} ${periodMicros}` }]),
    ...(cpuWeight === null ? [] : [{ file: at('cpu.weight'), value: String(Math.max(1, Math.round(cpuWeight / 10))) }]),
    ...(memoryBytes === null ? [] : [{ file: at('memory.max'), value: String(memoryBytes) }]),
  ];
}

function separateWrites(host: CgroupHost, name: string, limits: CgroupLimits): CgroupWrite[] {
  const at = (controller: string, file: string): string => path.join(host.mount, controller, name, file);
  const { cpuMillis, memoryBytes, cpuWeight } = limits;
  return [
    ...(cpuMillis === null
      ? []
      : [
          { file: at('cpu', 'cpu.cfs_period_us'), value: String(periodMicros) },
          { file: at('cpu', 'cpu.cfs_quota_us'), value: String(quotaMicros(cpuMillis)) },
        ]),
    ...(cpuWeight === null
      ? []
      : [{ file: at('cpu', 'cpu.shares'), value: String(Math.max(2, Math.round((cpuWeight * 1_024) / 1_000))) }]),
    ...(memoryBytes === null ? [] : [{ file: at('memory', 'memory.limit_in_bytes'), value: String(memoryBytes) }]),
  ];
}

function quotaMicros(cpuMillis: number): number {
  return Math.max(1_000, cpuMillis * (periodMicros / 1_000));
}

/** On v2 every ancestor hands its controllers down; a process may then only be in a leaf. */
export function delegationWrites(host: CgroupHost, name: string): CgroupWrite[] {
  if (host.version === 1) return [];
  const parts = name.split('/').filter((part) => part !== '');
  const value = controllers.map((controller) => `+${controller}`).join(' ');
  return parts.map((_part, depth) => ({
    file: path.join(host.mount, ...parts.slice(0, depth), 'cgroup.subtree_control'),
    value,
  }));
}

export async function ensureCgroup(host: CgroupHost, name: string, limits: CgroupLimits): Promise<void> {
  for (const directory of cgroupDirectories(host, name)) await mkdir(directory, { recursive: true });
  for (const { file, value } of delegationWrites(host, name)) await writeFile(file, value);
  for (const { file, value } of limitWrites(host, name, limits)) await writeFile(file, value);
}

/** With everything below it, in every hierarchy: a runtime uses more of v1's than are limited here. Fails while processes are in it. */
export async function removeCgroup(host: CgroupHost, name: string): Promise<void> {
  const roots = host.version === 2 ? [''] : await readdir(host.mount);
  for (const root of roots) await removeTree(path.join(host.mount, root, name));
}

async function removeTree(directory: string): Promise<void> {
  try {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) await removeTree(path.join(directory, entry.name));
    }
    await rmdir(directory);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')))
      throw error;
  }
}
