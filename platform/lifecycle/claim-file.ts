/** A file as the claim of one process at a time, by a lock that the kernel takes back when the process ends, however it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StalledError } from '../errors/errors.ts';
import { readIfThere } from '../files/if-there.ts';

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
  return new StalledError('lock_failed', 'A file cannot be locked with flock.', {
    hint: 'Install it (apt-get install util-linux), and keep the data on a local disk.',
    cause,
  });
}
