/** One `up` per data folder: a file names the process that holds it, and counts only while that process lives. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const fileOf = (dataDir: string): string => path.join(dataDir, 'up.pid');

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether the process is a Node program, and not another one that was given the same number after a restart. */
function runsNode(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('landfall');
  } catch {
    return false;
  }
}

/** The process that holds the folder; null when none does. */
export function holderOf(dataDir: string): number | null {
  let text: string;
  try {
    text = readFileSync(fileOf(dataDir), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) && pid !== process.pid && isAlive(pid) && runsNode(pid) ? pid : null;
}

/** Takes the folder; gives what lets it go. */
export function holdDataDir(dataDir: string): () => void {
  writeFileSync(fileOf(dataDir), `${process.pid}\n`);
  return () => rmSync(fileOf(dataDir), { force: true });
}
