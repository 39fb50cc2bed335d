/** One `up` per data folder at a time. */
import path from 'node:path';
import { claimFile, type Claim } from '../../prisma/embedded/owner.ts';

/** Takes the folder for this process, or says which process has it. */
export function holdDataDir(dataDir: string): Promise<Claim> {
  return claimFile(path.join(dataDir, 'up.owner'));
}
