/** What is on this machine, for tests that ask what an agent has left behind. */
import { readFile, readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { cgroupVersion } from '../cgroup/version.ts';
import { instanceName } from '../storage/instance.ts';

export async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' ').trim());
}

export interface LeftBehind {
  processes: string[];
  mounts: string[];
  bridge: boolean;
  cgroups: string[];
}

/** Of the agent with this data directory, and of containers that run `marker`. */
export async function leftBehind(dataDir: string, options: { bridge: string; marker: string }): Promise<LeftBehind> {
  const lines = await commandLines();
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  const mount = '/sys/fs/cgroup';
  const roots = (await cgroupVersion()) === 2 ? [mount] : (await readdir(mount)).map((name) => path.join(mount, name));
  const names = (await Promise.all(roots.map((root) => readdir(root).catch(() => [])))).flat();
  const cgroups = names.filter((name) => name.startsWith(`landfall-${instanceName(dataDir)}`));
  return {
    processes: lines.filter((line) => line.includes(dataDir) || line.includes(options.marker)),
    mounts: mounts.filter((line) => line.includes(dataDir)),
    bridge: options.bridge in networkInterfaces(),
    cgroups,
  };
}

export const nothing: LeftBehind = { processes: [], mounts: [], bridge: false, cgroups: [] };
