/** What must hold before `up` starts anything: decided over facts, so that nothing is ever half-started. */

export interface PreflightFacts {
  platform: NodeJS.Platform;
  isRoot: boolean;
  dataDir: string;
  dataWritable: boolean;
  freeBytes: number;
  /** Process id of another `up` that holds this data folder, or null. */
  heldBy: number | null;
  /** Ports asked for, with what they are for, that something else listens on. */
  takenPorts: { port: number; purpose: string; flag: string }[];
}

const neededBytes = 2 * 1024 ** 3;
const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

/** The first thing that stands in the way, as one sentence that says what to do; null when `up` may start. */
export function obstacle(facts: PreflightFacts): string | null {
  if (facts.platform !== 'linux')
    return `landfall up runs containers with Podman and needs Linux; this is ${facts.platform}. Run it on a Linux machine or in a Linux VM.`;
  if (!facts.isRoot)
    return 'landfall up makes containers, networks and cgroups and needs root. Run it again with: sudo npm run up';
  if (!facts.dataWritable)
    return `The data folder ${facts.dataDir} cannot be written. Give another one with --data DIR, or mend its permissions.`;
  if (facts.heldBy !== null)
    return `Another landfall up (process ${facts.heldBy}) uses ${facts.dataDir}. Stop it, or give another folder with --data DIR and other ports with --port.`;
  if (facts.freeBytes < neededBytes)
    return `Too little disk at ${facts.dataDir}: ${gigabytes(facts.freeBytes)} free, ${gigabytes(neededBytes)} needed. Free some, or give another folder with --data DIR.`;
  const [taken] = facts.takenPorts;
  if (taken !== undefined)
    return `Port ${taken.port} (${taken.purpose}) is taken by another program. Stop that program, or choose other ports with ${taken.flag}.`;
  return null;
}
