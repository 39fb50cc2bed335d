/**
 * What a killed `up` left running: its parts are written down, so that the next start waits for their end. What a part
 * starts ends with it; the database may take its time, and is waited for too.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Type from 'typebox';
import Value from 'typebox/value';
import { codeOf } from '../../platform/errors/classify.ts';
import { readIfThereSync } from '../../platform/files/if-there.ts';
import { identify, type ProcessIdentity } from '../../platform/lifecycle/claim-file.ts';
import { endOrphanedPostgres } from '../../prisma/embedded.ts';

const Written = Type.Array(Type.Object({ pid: Type.Integer(), startedAt: Type.String() }));

const fileOf = (dataDir: string): string => path.join(dataDir, 'processes.json');

/** The kernel has sent them SIGTERM when `up` died; they end as they would have with it. */
const endWithinMs = 40_000;

/** Replaces what was written down before. */
export async function writeDownProcesses(dataDir: string, pids: Iterable<number>): Promise<void> {
  const live = await Promise.all([...pids].map(identify));
  const file = fileOf(dataDir);
  writeFileSync(`${file}.new`, JSON.stringify(live.filter((each) => each !== null)));
  renameSync(`${file}.new`, file);
}

export function forgetProcesses(dataDir: string): void {
  rmSync(fileOf(dataDir), { force: true });
}

function writtenDown(dataDir: string): ProcessIdentity[] {
  const text = readIfThereSync(fileOf(dataDir));
  return text === null ? [] : Value.Parse(Written, JSON.parse(text));
}

async function stillAlive(left: readonly ProcessIdentity[]): Promise<ProcessIdentity[]> {
  const now = await Promise.all(left.map(({ pid }) => identify(pid)));
  return left.filter(({ startedAt }, index) => now[index]?.startedAt === startedAt);
}

/** Of a process that has ended by itself since the last look there is nothing to kill. */
export function killOutright(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Returns when nothing of an earlier start is alive: what does not end by itself is killed. */
export async function awaitLeftovers(
  dataDir: string,
  { report, signal }: { report: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  let left = await stillAlive(writtenDown(dataDir));
  if (left.length > 0) report('waiting for the end of what an earlier start left running');
  const deadline = Date.now() + endWithinMs;
  while (left.length > 0 && Date.now() < deadline) {
    await delay(50, undefined, { signal });
    left = await stillAlive(left);
  }
  for (const { pid } of left) killOutright(pid);
  forgetProcesses(dataDir);
  await endDatabase(dataDir);
}

/** When the server that owned it did not end it. */
export function endDatabase(dataDir: string): Promise<void> {
  return endOrphanedPostgres(path.join(dataDir, 'postgres'));
}
