/** Which cgroup hierarchy limits processes on this machine; the hybrid one counts as v1. */
import { readFile } from 'node:fs/promises';

export async function cgroupVersion(): Promise<1 | 2> {
  return versionFrom(await readFile('/proc/self/mounts', 'utf8'));
}

export function versionFrom(mounts: string): 1 | 2 {
  const unified = mounts.split('\n').some((line) => /^\S+ \/sys\/fs\/cgroup cgroup2 /.test(line));
  return unified ? 2 : 1;
}
