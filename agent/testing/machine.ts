/** What an agent has left on this machine. */
import { readFile, readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { cgroupVersion } from '../cgroup/version.ts';
import { instanceName } from '../storage/instance.ts';
import { lineOf, names, processesOf } from './processes.ts';

export interface LeftBehind {
  processes: string[];
  mounts: string[];
  bridge: boolean;
  cgroups: string[];
}

/** Of the agent with this data directory, containers and steps of builds included. */
export async function leftBehind(dataDir: string, bridge: string): Promise<LeftBehind> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  const mount = '/sys/fs/cgroup';
  const roots = (await cgroupVersion()) === 2 ? [mount] : (await readdir(mount)).map((name) => path.join(mount, name));
  const groups = (await Promise.all(roots.map((root) => readdir(root).catch(() => [])))).flat();
  return {
    processes: processesOf(dataDir).map(lineOf),
    mounts: mounts.filter((line) => names(line, dataDir)),
    bridge: bridge in networkInterfaces(),
    cgroups: groups.filter((name) => name.startsWith(`landfall-${instanceName(dataDir)}`)),
  };
}

export const nothing: LeftBehind = { processes: [], mounts: [], bridge: false, cgroups: [] };
