/** Renders `containers.conf` for the engine that the agent runs, from what the machine can do. */
import type { Ulimit } from './container-create.ts';

export interface EngineHost {
  cgroupVersion: 1 | 2;
  /** systemd is the machine's init, and its cgroups may be used by the engine. */
  systemd: boolean;
  /** Names found on PATH. */
  runtimes: readonly ('crun' | 'runc')[];
}

/** crun refuses the hybrid hierarchy of cgroup v1; on v2 it is the lighter one. */
export function runtimeFor(host: EngineHost): 'crun' | 'runc' {
  return host.cgroupVersion === 2 && host.runtimes.includes('crun') ? 'crun' : 'runc';
}

export function cgroupManagerFor(host: EngineHost): 'cgroupfs' | 'systemd' {
  return host.cgroupVersion === 2 && host.systemd ? 'systemd' : 'cgroupfs';
}

export function renderContainersConf(host: EngineHost, ulimits: readonly Ulimit[]): string {
  const quoted = ulimits.map(({ type, soft, hard }) => `"${type}=${soft}:${hard}"`);
  return `# Written by the Landfall agent at every start.
[engine]
runtime = "${runtimeFor(host)}"
cgroup_manager = "${cgroupManagerFor(host)}"
events_logger = "file"
[containers]
default_ulimits = [${quoted.join(', ')}]
[network]
network_backend = "netavark"
`;
}

/**
 * What the engine may hand to a container: no more than this machine's own hard limits. The engine lowers its own number of
 * processes to the kernel's largest pid, and may not raise it again.
 * @param procLimits `/proc/self/limits`
 * @param pidMax `/proc/sys/kernel/pid_max`
 */
export function ulimitsFrom(procLimits: string, pidMax: number): Ulimit[] {
  const rows = [
    { type: 'nofile', label: 'Max open files', soft: 1_024, hard: 1_048_576 },
    { type: 'nproc', label: 'Max processes', soft: 4_096, hard: Math.min(65_536, pidMax) },
  ] as const;
  return rows.map(({ type, label, soft, hard }) => {
    const row = procLimits.split('\n').find((line) => line.startsWith(label));
    const [, ownHard = 'unlimited'] = row?.slice(label.length).trim().split(/\s+/) ?? [];
    const limit = ownHard === 'unlimited' ? hard : Math.min(hard, Number(ownHard));
    return { type, soft: Math.min(soft, limit), hard: limit };
  });
}
