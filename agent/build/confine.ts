/** Gives the steps of one build their own cgroup with its limits, and tells afterwards whether memory ran out in it (P80). */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureCgroup, removeCgroup, type CgroupHost } from '../cgroup/cgroup.ts';
import type { BuildOrder } from './execute.ts';

export interface Confinement {
  cgroup: string;
  release: () => Promise<{ outOfMemory: boolean }>;
}

export interface ConfineOptions {
  cgroups: CgroupHost;
  /** The cgroup above all builds. */
  parent: string;
  log: (line: string) => void;
}

export function confiner({ cgroups, parent, log }: ConfineOptions) {
  return async (order: Pick<BuildOrder, 'buildId' | 'limits'>, attempt: number): Promise<Confinement> => {
    const cgroup = `${parent}/${order.buildId}-${attempt}`;
    await ensureCgroup(cgroups, cgroup, { ...order.limits, cpuWeight: null });
    return {
      cgroup,
      release: async () => {
        const outOfMemory = await memoryRanOut(cgroups, cgroup);
        try {
          await removeCgroup(cgroups, cgroup);
        } catch (error) {
          // A step that is still being killed keeps it; the next start of the agent removes it.
          log(`The cgroup ${cgroup} stays for now: ${error instanceof Error ? error.message : String(error)}`);
        }
        return { outOfMemory };
      },
    };
  };
}

/** v2 counts kills below the cgroup too; v1 counts how often its limit was hit. */
async function memoryRanOut(host: CgroupHost, cgroup: string): Promise<boolean> {
  if (host.version === 2) {
    const events = await readFile(path.join(host.mount, cgroup, 'memory.events'), 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0) > 0;
  }
  const failures = await readFile(path.join(host.mount, 'memory', cgroup, 'memory.failcnt'), 'utf8');
  return Number(failures) > 0;
}
