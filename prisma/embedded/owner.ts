/** Whose a data folder is: one live process at a time, told apart from a dead one whose number was given away again. */
import { link, mkdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/** Takes the folder for this process, or says which process has it. */
export async function claimDataDir(dataDir: string): Promise<void> {
  const holder = await claimFile(`${dataDir}.owner`);
  if (holder !== null) throw inUse(dataDir, holder);
}

/** Makes the file the claim of this process. Gives the live process that has it instead; null when it is ours now. */
export async function claimFile(claim: string): Promise<ProcessIdentity | null> {
  const own = await identify(process.pid);
  if (own === null) throw new Error('This process has no entry in /proc.');
  const draft = `${claim}.${own.pid}`;
  await mkdir(dirname(claim), { recursive: true });
  await writeFile(draft, `${own.pid} ${own.startedAt}`, { mode: 0o600 });
  try {
    for (;;) {
      if (await linkUnlessThere(draft, claim)) return null;
      const holder = await liveHolder(claim);
      if (holder !== null) return holder;
      await rm(claim, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

export async function releaseDataDir(dataDir: string): Promise<void> {
  await rm(`${dataDir}.owner`, { force: true });
}

/** The server that runs on this folder though nobody owns it: its owner was killed. */
export async function orphanedServer(dataDir: string): Promise<number | null> {
  const text = await readIfThere(join(dataDir, 'postmaster.pid'));
  const pid = Number(text?.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return (await workingDirectory(pid)) === (await realpath(dataDir)) ? pid : null;
}

async function liveHolder(claim: string): Promise<ProcessIdentity | null> {
  const text = await readIfThere(claim);
  const [pid, startedAt] = text?.split(' ') ?? [];
  const live = await identify(Number(pid));
  return live?.startedAt === startedAt ? live : null;
}

function inUse(dataDir: string, holder: ProcessIdentity): StalledError {
  return new StalledError('data_in_use', `The data in ${dataDir} is in use by process ${holder.pid}.`, {
    hint: 'Stop that process first, or take another folder with --data.',
  });
}

async function linkUnlessThere(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
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
