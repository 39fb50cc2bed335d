/** One `up` per data folder at a time: a file in it names the process, and counts only while that process lives. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { claimFile } from '../../prisma/embedded/owner.ts';

const fileOf = (dataDir: string): string => path.join(dataDir, 'up.owner');

/** Takes the folder for this process. Gives the id of the process that has it instead; null when it is ours now. */
export async function holdDataDir(dataDir: string): Promise<number | null> {
  return (await claimFile(fileOf(dataDir)))?.pid ?? null;
}

export async function releaseDataDir(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
}
