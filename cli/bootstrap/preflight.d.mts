import type { TakenPort } from './ports.mjs';

export interface MachineFacts {
  platform: NodeJS.Platform;
  isRoot: boolean;
  /** Debian packages that `up` needs and root would install; none on other systems. */
  missingPackages: readonly string[];
  dataDir: string;
  dataWritable: boolean;
  /** Process id of another `up` that holds this data folder, or null. */
  heldBy: number | null;
}
export interface RoomFacts {
  dataDir: string;
  freeBytes: number;
  neededBytes: number;
  /** Ports asked for, with what they are for, that something else listens on. */
  takenPorts: readonly TakenPort[];
  /** Addresses of the containers. */
  pool: string;
  /** The network interface that has addresses of the pool, or null. */
  poolOccupant: string | null;
}
export const runBytes: number;
export const packageBytes: number;
export function machineObstacle(facts: MachineFacts): string | null;
export function roomObstacle(facts: RoomFacts): string | null;
