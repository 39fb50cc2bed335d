/** Looks at this machine for what `up` needs: the facts that preflight.ts decides over. */
import { accessSync, constants, existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { occupant, usedAddresses, type LocalNetwork } from './network.ts';
import { takenPorts, type Ports } from './ports.ts';
import type { MachineFacts, RoomFacts } from './preflight.ts';

/** Each folder by itself: on file systems that refuse new ones, Node's own recursion never ends. */
function makeFolder(directory: string): void {
  if (existsSync(directory)) return;
  makeFolder(path.dirname(directory));
  mkdirSync(directory);
}

/** Makes the folder when it is missing. */
function isWritable(directory: string): boolean {
  try {
    makeFolder(directory);
    accessSync(directory, constants.W_OK);
    return statSync(directory).isDirectory();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** Whether another `up` has the folder is not looked at. */
export function machineFacts(dataDir: string): MachineFacts {
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    dataDir,
    dataWritable: isWritable(dataDir),
    heldBy: null,
  };
}

export async function roomFacts(dataDir: string, ports: Ports, { pool }: LocalNetwork): Promise<RoomFacts> {
  const { bavail, bsize } = statfsSync(dataDir);
  return {
    dataDir,
    freeBytes: bavail * bsize,
    takenPorts: await takenPorts(ports),
    pool,
    poolOccupant: occupant(pool, usedAddresses()),
  };
}
