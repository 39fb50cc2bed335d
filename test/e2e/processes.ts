/** Looks at this machine's processes, mounts, bridges and cgroups for what belongs to one data folder, and at nothing else. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { instanceName } from '../../agent/storage/instance.ts';
import { isConfinedBy, lineOf, processesOf as processesOfFolder, type Process } from '../../agent/testing/processes.ts';

const agentOf = (dataDir: string): string => path.join(dataDir, 'agent');

/** The agent's own name for things that are machine-wide. */
const instanceOf = (dataDir: string): string => `landfall-${instanceName(agentOf(dataDir))}`;

/** Of the line in this folder: its parts, what they run, containers and steps of builds. */
export function processesOf(dataDir: string): Process[] {
  return processesOfFolder(dataDir, agentOf(dataDir));
}

/** Processes inside containers of the folder's agent, their monitors left out. */
export function containerProcesses(dataDir: string): Process[] {
  const monitor = /(^|\/)(conmon|podman|runc)$/;
  const isBuild = ({ cgroup }: Process): boolean => cgroup.includes(`/${instanceOf(dataDir)}-builds`);
  return processesOf(dataDir).filter(
    (one) =>
      isConfinedBy(one, agentOf(dataDir)) && !isBuild(one) && one.argv.length > 0 && !monitor.test(one.argv[0] ?? ''),
  );
}

function cgroupsOf(dataDir: string): string[] {
  const mount = '/sys/fs/cgroup';
  const instance = instanceOf(dataDir);
  const directories = readdirSync(mount, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return ['.', ...directories.map(({ name }) => name)].flatMap((hierarchy) => {
    const directory = path.join(mount, hierarchy);
    const names = readdirSync(directory, { withFileTypes: true });
    return names.filter(({ name }) => name.startsWith(instance)).map(({ name }) => path.join(directory, name));
  });
}

/** What stays behind of a line that has ended, each as a line that a person can read: nothing should. */
export function leftoversOf(dataDir: string, bridge: string): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? []);
  return [
    ...processesOf(dataDir).map((one) => `process ${one.pid}: ${lineOf(one)}`),
    ...mounts.filter((at) => at.startsWith(`${dataDir}/`)).map((at) => `mount ${at}`),
    ...(existsSync(`/sys/class/net/${bridge}`) ? [`bridge ${bridge}`] : []),
    ...cgroupsOf(dataDir).map((directory) => `cgroup ${directory}`),
    ...readdirSync(tmpdir())
      .filter((name) => name.startsWith(`${instanceOf(dataDir)}-`))
      .map((name) => path.join(tmpdir(), name)),
    ...(existsSync(`/run/${instanceOf(dataDir)}`) ? [`/run/${instanceOf(dataDir)}`] : []),
  ];
}
