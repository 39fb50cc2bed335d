/** Processes that belong to one folder, and to nothing else on this machine: by their arguments, directory, cgroup and descent. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { instanceName } from '../storage/instance.ts';

export interface Process {
  pid: number;
  parent: number;
  argv: string[];
  /** As `/proc` gives it: one line for each hierarchy. */
  cgroup: string;
}

export function lineOf({ argv }: Pick<Process, 'argv'>): string {
  return argv.join(' ');
}

/** Null when the process has ended since it was listed, or is the kernel's. */
function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EINVAL') return null;
    throw error;
  }
}

function readProcess(pid: number): Process[] {
  const read = (name: string): string | null => unlessGone(() => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
  const [stat, cmdline, cgroup] = [read('stat'), read('cmdline'), read('cgroup')];
  if (stat === null || cmdline === null || cgroup === null) return [];
  // The name in brackets may hold anything.
  const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [{ pid, parent: Number(parent), argv: cmdline.split('\0').filter((word) => word !== ''), cgroup }];
}

function allProcesses(): Process[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger).flatMap(readProcess);
}

/** The folder itself or something in it, and not one whose name merely begins alike. */
export function names(text: string, folder: string): boolean {
  for (let at = text.indexOf(folder); at !== -1; at = text.indexOf(folder, at + 1))
    if (!/[\w.-]/.test(text[at + folder.length] ?? '/')) return true;
  return false;
}

function withDescendants(all: readonly Process[], roots: readonly number[]): Process[] {
  const wanted = new Set(roots);
  for (let size = -1; size !== wanted.size;) {
    size = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  return all.filter(({ pid }) => wanted.has(pid));
}

/** A process and all that descend from it. */
export function descendantsOf(root: number): Process[] {
  return withDescendants(allProcesses(), [root]);
}

/** In a cgroup that the agent with this data directory made, for containers or for builds. */
export function isConfinedBy({ cgroup }: Process, agentDataDir: string): boolean {
  return new RegExp(`/landfall-${instanceName(agentDataDir)}(-builds)?(/|$)`, 'm').test(cgroup);
}

/**
 * Those that name the folder in their arguments, work in it or are confined by the agent there, and what descends from them.
 * The caller is left out, and so is what it runs for other purposes.
 */
export function processesOf(folder: string, agentDataDir = folder): Process[] {
  const all = allProcesses().filter(({ pid }) => pid !== process.pid);
  const belongs = (one: Process): boolean =>
    one.argv.some((word) => names(word, folder)) ||
    isConfinedBy(one, agentDataDir) ||
    names(unlessGone(() => readlinkSync(`/proc/${one.pid}/cwd`)) ?? '', folder);
  return withDescendants(
    all,
    all.filter(belongs).map(({ pid }) => pid),
  );
}
