/** Whether the process the engine names still is the container's (P22). */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A live process of the container has its id in the path of its cgroup, so a pid that was given to another process since does not
 * count.
 * @param procRoot `/proc` as the engine sees it: pids are those of its namespace.
 */
export async function isProcessOf(procRoot: string, pid: number, containerId: string): Promise<boolean> {
  if (pid <= 0) return false;
  try {
    const cgroups = await readFile(path.join(procRoot, String(pid), 'cgroup'), 'utf8');
    return cgroups.includes(containerId);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}
