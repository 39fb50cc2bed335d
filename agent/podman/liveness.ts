/** Whether the process the engine names still is the container's (P22). */
import path from 'node:path';
import { readIfThere } from '../../platform/files/if-there.ts';

/**
 * A live process of the container has its id in the path of its cgroup, so a pid that was given to another process since does not
 * count.
 * @param procRoot `/proc` as the engine sees it: pids are those of its namespace.
 */
export async function isProcessOf(procRoot: string, pid: number, containerId: string): Promise<boolean> {
  if (pid <= 0) return false;
  const cgroups = await readIfThere(path.join(procRoot, String(pid), 'cgroup'));
  return cgroups?.includes(containerId) ?? false;
}
