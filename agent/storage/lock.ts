/** One agent per data directory: two would fight over containers and answer to one name. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { StalledError } from '../../platform/errors/errors.ts';
import { claimFile } from '../../platform/lifecycle/claim-file.ts';

export interface DirectoryLock {
  readonly release: () => void;
}

/** Throws StalledError while another agent that lives holds it; one that dies holds it no longer. */
export async function lockDirectory(dataDir: string): Promise<DirectoryLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const claim = await claimFile(path.join(dataDir, 'agent.lock'));
  if (claim.kind === 'ours') return { release: claim.release };
  throw new StalledError('already_running', `Another agent (process ${claim.holder}) uses ${dataDir}.`, {
    hint: 'Stop it, or start this one with another --data directory.',
  });
}
