/** Looks at this machine for what `up` needs: the facts that cli/bootstrap/preflight.mjs decides over. */
import { accessSync, constants, existsSync, mkdirSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../platform/errors/classify.ts';
import { missingPackages } from '../bootstrap/debian.mjs';
import { occupant, usedAddresses, type LocalNetwork } from './network.ts';
import { takenPorts, type Ports } from '../bootstrap/ports.mjs';
import { runBytes, type MachineFacts, type RoomFacts } from '../bootstrap/preflight.mjs';

/** Each folder by itself: on file systems that refuse new ones, Node's own recursion never ends. */
function makeFolder(directory: string, made: string[], mode = 0o777): void {
  if (existsSync(directory)) return;
  makeFolder(path.dirname(directory), made);
  mkdirSync(directory, { mode });
  made.push(directory);
}

/** Makes the folder when it is missing, for its owner alone; what it makes is added to `made`, the outermost first. */
function isWritable(directory: string, made: string[]): boolean {
  try {
    makeFolder(directory, made, 0o700);
    accessSync(directory, constants.W_OK);
    return statSync(directory).isDirectory();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** Takes folders away that were made and hold nothing. */
export function takeBack(made: readonly string[]): void {
  for (const directory of made.toReversed()) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (codeOf(error) === 'ENOTEMPTY') return;
      throw error;
    }
  }
}

/** Whether another `up` has the folder is not looked at. */
export function machineFacts(dataDir: string, made: string[]): MachineFacts {
  const isRoot = process.getuid?.() === 0;
  return {
    platform: process.platform,
    isRoot,
    missingPackages: isRoot ? [] : missingPackages(),
    dataDir,
    dataWritable: isWritable(dataDir, made),
    heldBy: null,
  };
}

export async function roomFacts(dataDir: string, ports: Ports, { bridge, pool }: LocalNetwork): Promise<RoomFacts> {
  // Its own bridge is there still when the agent was killed; the next one takes it over.
  const used = usedAddresses().filter(({ name }) => name !== bridge);
  const { bavail, bsize } = statfsSync(dataDir);
  return {
    dataDir,
    freeBytes: bavail * bsize,
    neededBytes: runBytes,
    takenPorts: await takenPorts(ports),
    pool,
    poolOccupant: occupant(pool, used),
  };
}
