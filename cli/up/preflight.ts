/** What must hold before `up` starts anything: decided over facts, so that nothing is ever half-started. */

export interface MachineFacts {
  platform: NodeJS.Platform;
  isRoot: boolean;
  dataDir: string;
  dataWritable: boolean;
  /** Process id of another `up` that holds this data folder, or null. */
  heldBy: number | null;
}

export interface RoomFacts {
  dataDir: string;
  freeBytes: number;
  /** Ports asked for, with what they are for, that something else listens on. */
  takenPorts: { port: number; purpose: string; flag: string }[];
  /** Addresses of the containers. */
  pool: string;
  /** The network interface that has addresses of the pool, or null. */
  poolOccupant: string | null;
}

const neededBytes = 2 * 1024 ** 3;
const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

/** The first thing on this machine that stands in the way, as one sentence that says what to do; null when nothing does. */
export function machineObstacle(facts: MachineFacts): string | null {
  if (facts.platform !== 'linux')
    return `landfall up runs containers with Podman and needs Linux; this is ${facts.platform}. Run it on a Linux machine or in a Linux VM.`;
  if (!facts.isRoot)
    return 'landfall up makes containers, networks and cgroups and needs root. Run it again with: sudo npm run up';
  if (!facts.dataWritable)
    return `The data folder ${facts.dataDir} cannot be written. Give another one with --data DIR, or mend its permissions.`;
  if (facts.heldBy !== null)
    return `Another landfall up (process ${facts.heldBy}) uses ${facts.dataDir}. Stop it, or give another folder with --data DIR and other ports with --port.`;
  return null;
}

/** The same, once the folder is ours: whether there is room for what is to be started. */
export function roomObstacle(facts: RoomFacts): string | null {
  if (facts.freeBytes < neededBytes)
    return `Too little disk at ${facts.dataDir}: ${gigabytes(facts.freeBytes)} free, ${gigabytes(neededBytes)} needed. Free some, or give another folder with --data DIR.`;
  const [taken] = facts.takenPorts;
  if (taken !== undefined)
    return `Port ${taken.port} (${taken.purpose}) is taken by another program. Stop that program, or choose other ports with ${taken.flag}.`;
  if (facts.poolOccupant !== null)
    return `The addresses ${facts.pool}, which containers of ${facts.dataDir} have, are on the network interface ${facts.poolOccupant} already. Stop what uses it, or give another folder with --data DIR.`;
  return null;
}
