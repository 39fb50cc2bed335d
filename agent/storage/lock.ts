/** One agent per data directory: two would fight over containers and answer to one name. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StalledError } from '../../platform/errors/errors.ts';
import { readIfThere } from './atomic-file.ts';

export interface DirectoryLock {
  readonly release: () => Promise<void>;
}

/** Throws StalledError while another agent that lives holds it; what a dead one left is taken over. */
export async function lockDirectory(dataDir: string): Promise<DirectoryLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = path.join(dataDir, 'agent.lock');
  const holder = await readIfThere(file);
  if (holder !== null && (await isHeld(holder))) {
    throw new StalledError('already_running', `Another agent (process ${holder.split(' ')[0]}) uses ${dataDir}.`, {
      hint: 'Stop it, or start this one with another --data directory.',
    });
  }
  await writeFile(file, await signature(process.pid), { mode: 0o600 });
  return { release: () => rm(file, { force: true }) };
}

async function isHeld(holder: string): Promise<boolean> {
  const pid = Number(holder.split(' ')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  return (await signature(pid)) === holder;
}

/** A pid and when it started: the pid alone may belong to somebody else by now. */
async function signature(pid: number): Promise<string> {
  const stat = await statOf(pid);
  // The name in parentheses may hold spaces; the start time is the 20th field after it.
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${pid} ${startTime}`;
}

async function statOf(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}
