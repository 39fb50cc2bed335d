/** Whose a data folder is: one process at a time, by a lock that the kernel takes back when the process ends, however it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { mkdir, readFile, readlink, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';

/** A process by its number and the moment it started, in the kernel's ticks. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/** The identity of a live process; null when there is none, or only its entry waits to be collected. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const text = await readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may hold blanks; state and start time are the 3rd and 22nd.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const [state, startedAt] = [fields[0], fields[19]];
  return startedAt === undefined || state === 'Z' ? null : { pid, startedAt };
}

export type Claim =
  | { kind: 'ours'; release: () => void }
  /** `holder` is the process that has it; 0 when it does not say. */
  | { kind: 'theirs'; holder: number };

/** Its lock says whose the folder is. */
export function ownerFile(dataDir: string): string {
  return `${dataDir}.owner`;
}

/** Takes the folder for this process until it ends, or releases it. Throws when another has it. */
export async function claimDataDir(dataDir: string): Promise<() => void> {
  const claim = await claimFile(ownerFile(dataDir));
  if (claim.kind === 'ours') return claim.release;
  throw inUse(dataDir, claim.holder);
}

/** Who has the lock writes its number down a moment later. */
const patience = { times: 20, everyMs: 25 };

/**
 * Makes the file the claim of this process. The file stays when the claim ends: who removes a lock's file lets two take two locks
 * of one name.
 */
export async function claimFile(file: string): Promise<Claim> {
  await mkdir(dirname(file), { recursive: true });
  for (let time = 1; ; time++) {
    const descriptor = openSync(file, 'a+', 0o600);
    if (await lock(descriptor)) return held(descriptor);
    closeSync(descriptor);
    const holder = Number(await readIfThere(file)) || 0;
    if (time === patience.times || (await identify(holder)) !== null) return { kind: 'theirs', holder };
    await delay(patience.everyMs);
  }
}

function held(descriptor: number): Claim {
  ftruncateSync(descriptor);
  writeSync(descriptor, String(process.pid));
  return {
    kind: 'ours',
    release: () => {
      ftruncateSync(descriptor);
      closeSync(descriptor);
    },
  };
}

/** The lock belongs to the open file, which the program shares with this process: it stays when the program has ended. */
async function lock(descriptor: number): Promise<boolean> {
  const child = spawn('flock', ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  const [code] = (await once(child, 'close').catch((error: unknown) => {
    throw noFlock(error);
  })) as [number | null];
  if (code === 0 || code === 1) return code === 0;
  throw noFlock(new Error(`flock ended with ${code}`));
}

function noFlock(cause: unknown): StalledError {
  return new StalledError('lock_failed', 'The data folder cannot be locked with flock.', {
    hint: 'Install it (apt-get install util-linux), and keep the data on a local disk.',
    cause,
  });
}

/** The server that runs on this folder though nobody owns it: its owner was killed. */
export async function orphanedServer(dataDir: string): Promise<number | null> {
  const text = await readIfThere(join(dataDir, 'postmaster.pid'));
  const pid = Number(text?.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return (await workingDirectory(pid)) === (await realpath(dataDir)) ? pid : null;
}

function inUse(dataDir: string, holder: number): StalledError {
  return new StalledError('data_in_use', `The data in ${dataDir} is in use by process ${holder}.`, {
    hint: 'Stop that process first, or take another folder with --data.',
  });
}

async function workingDirectory(pid: number): Promise<string | null> {
  try {
    return await readlink(`/proc/${pid}/cwd`);
  } catch (error) {
    // Gone, or another user's: not a server of ours.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(codeOf(error))) return null;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return null;
    throw error;
  }
}
