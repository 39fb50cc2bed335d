/**
 * Keeps the steps of builds within the limits of their orders, and tells afterwards whether memory ran out (P80).
 *
 * All steps run below one cgroup: its name is part of what BuildKit's cache is looked up by, so a name per build would have every step run
 * again. Builds at the same time share the sum of their limits.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureCgroup, type CgroupHost } from '../cgroup/cgroup.ts';

export interface BuildLimits {
  cpuMillis: number;
  memoryBytes: number;
}

/** `killed`: the kernel ended a process for memory. `short`: the limit was met, and a killed step was killed for it. */
export type MemoryVerdict = 'fine' | 'short' | 'killed';

export interface Confinement {
  release: () => Promise<MemoryVerdict>;
}

export type Confine = (limits: BuildLimits) => Promise<Confinement>;

/** @param cgroup Below which the daemon runs every step. */
export function confiner(cgroups: CgroupHost, cgroup: string): Confine {
  const active = new Set<BuildLimits>();
  return async (limits) => {
    active.add(limits);
    await ensureCgroup(cgroups, cgroup, { ...sumOf([...active]), cpuWeight: null });
    const before = await memoryEvents(cgroups, cgroup);
    return {
      // What is left of the limits stays until the next build: lowering them under a build that goes on could end it.
      release: async () => {
        active.delete(limits);
        const after = await memoryEvents(cgroups, cgroup);
        if (after.kills > before.kills) return 'killed';
        return after.limitHits > before.limitHits ? 'short' : 'fine';
      },
    };
  };
}

/** For a daemon that somebody else runs: its steps are wherever that one puts them. */
export const unconfined: Confine = () => Promise.resolve({ release: () => Promise.resolve('fine') });

export function sumOf(all: readonly BuildLimits[]): BuildLimits {
  return {
    cpuMillis: all.reduce((sum, { cpuMillis }) => sum + cpuMillis, 0),
    memoryBytes: all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}

interface MemoryEvents {
  kills: number;
  limitHits: number;
}

/** v2 counts kills of everything below; v1 only says how often the limit was met. */
async function memoryEvents(host: CgroupHost, cgroup: string): Promise<MemoryEvents> {
  if (host.version === 1) {
    const failures = await readFile(path.join(host.mount, 'memory', cgroup, 'memory.failcnt'), 'utf8');
    return { kills: 0, limitHits: Number(failures) };
  }
  const events = await readFile(path.join(host.mount, cgroup, 'memory.events'), 'utf8');
  const count = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(events)?.[1] ?? 0);
  return { kills: count('oom_kill'), limitHits: count('max') };
}
