/** Whose a data folder is: one process at a time. */
import { readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { ifThere, isGone, readIfThere } from '../../platform/files/if-there.ts';
import { claimFile } from '../../platform/lifecycle/claim-file.ts';

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
  // Gone, or another user's: not a server of ours.
  return await ifThere(readlink(`/proc/${pid}/cwd`), (error) => isGone(error) || codeOf(error) === 'EACCES');
}
