/** Looks at this machine's processes, mounts, bridges and cgroups for what belongs to one data folder. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

export interface Process {
  pid: number;
  argv: string[];
}

function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EINVAL') return null;
    throw error;
  }
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function argvOf(pid: number): string[] {
  const text = unlessGone(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return text?.split('\0').filter((word) => word !== '') ?? [];
}

/** The agent's own name for things that are machine-wide (agent/storage/instance.ts). */
function instanceOf(dataDir: string): string {
  return `landfall-${createHash('sha256').update(path.join(dataDir, 'agent')).digest('hex').slice(0, 8)}`;
}

/** Those that name the folder in their arguments, work in it, or run in a cgroup of its agent. */
export function processesOf(dataDir: string): Process[] {
  const instance = instanceOf(dataDir);
  return allPids().flatMap((pid) => {
    if (pid === process.pid) return [];
    const argv = argvOf(pid);
    const cwd = unlessGone(() => readlinkSync(`/proc/${pid}/cwd`));
    const cgroup = unlessGone(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    const ours =
      argv.some((word) => word.includes(`${dataDir}/`) || word === dataDir) ||
      cwd?.startsWith(`${dataDir}/`) === true ||
      cgroup?.includes(`/${instance}`) === true;
    return ours ? [{ pid, argv }] : [];
  });
}

/** Processes inside containers of the folder's agent, their monitors left out. */
export function containerProcesses(dataDir: string): Process[] {
  const group = new RegExp(`/${instanceOf(dataDir)}/`);
  return allPids()
    .filter((pid) => group.test(unlessGone(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? ''))
    .map((pid) => ({ pid, argv: argvOf(pid) }))
    .filter(({ argv }) => argv.length > 0 && !/(^|\/)(conmon|podman|runc)$/.test(argv[0] ?? ''));
}

function cgroupsOf(dataDir: string): string[] {
  const mount = '/sys/fs/cgroup';
  const instance = instanceOf(dataDir);
  return ['.', ...readdirSync(mount)].flatMap((hierarchy) => {
    const directory = path.join(mount, hierarchy);
    const names = unlessGone(() => readdirSync(directory, { withFileTypes: true })) ?? [];
    return names.filter(({ name }) => name.startsWith(instance)).map(({ name }) => path.join(directory, name));
  });
}

/** What stays behind of a line that has ended, each as a line that a person can read: nothing should. */
export function leftoversOf(dataDir: string, bridge: string): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? []);
  return [
    ...processesOf(dataDir).map(({ pid, argv }) => `process ${pid}: ${argv.join(' ')}`),
    ...mounts.filter((at) => at.startsWith(`${dataDir}/`)).map((at) => `mount ${at}`),
    ...(existsSync(`/sys/class/net/${bridge}`) ? [`bridge ${bridge}`] : []),
    ...cgroupsOf(dataDir).map((directory) => `cgroup ${directory}`),
    ...readdirSync('/tmp')
      .filter((name) => name.startsWith(`${instanceOf(dataDir)}-`))
      .map((name) => `/tmp/${name}`),
    ...(existsSync(`/run/${instanceOf(dataDir)}`) ? [`/run/${instanceOf(dataDir)}`] : []),
  ];
}
