/** One `up` per data folder at a time. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { claimFile, type Claim } from '../../platform/lifecycle/claim-file.ts';

const fileIn = (dataDir: string): string => path.join(dataDir, 'up.owner');

/** Whether an `up` has started there before. */
export function wasHeld(dataDir: string): boolean {
  return existsSync(fileIn(dataDir));
}

/** Takes the folder for this process, or says which process has it. */
export function holdDataDir(dataDir: string): Promise<Claim> {
  return claimFile(fileIn(dataDir));
}
