/**
 * What must hold before `up` starts anything: decided over facts, so that nothing is ever half-started. Has no dependencies: the
 * bootstrap decides with it before it installs anything, and `up` with all that it knows then.
 */
import { aptCommand } from './debian.mjs';

/** What `up` writes at the least, and what npm's packages take. */
export const runBytes = 2 * 1024 ** 3;
export const packageBytes = 1.2 * 1024 ** 3;
const gigabytes = (bytes) => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

/** @param {readonly string[]} missing Debian packages. */
function rootNeeded(missing) {
  const sentence =
    'landfall up makes containers, networks and cgroups and needs root. Run it again with: sudo npm run up';
  if (missing.length === 0) return sentence;
  return `${sentence}\nIt installs the Debian packages that are missing. To install them yourself before:\n\n  ${aptCommand(missing)}\n`;
}

/** The first thing on this machine that stands in the way, as one sentence that says what to do; null when nothing does. */
export function machineObstacle(facts) {
  if (facts.platform !== 'linux')
    return `landfall up runs containers with Podman and needs Linux; this is ${facts.platform}. Run it on a Linux machine or in a Linux VM.`;
  if (!facts.isRoot) return rootNeeded(facts.missingPackages);
  if (!facts.dataWritable)
    return `The data folder ${facts.dataDir} cannot be written. Give another one with --data DIR, or mend its permissions.`;
  if (facts.heldBy !== null)
    return `Another landfall up (process ${facts.heldBy}) uses ${facts.dataDir}. Stop it, or give another folder with --data DIR and other ports with --port.`;
  return null;
}

/** The same, once the folder is ours: whether there is room for what is to be started. */
export function roomObstacle(facts) {
  if (facts.freeBytes < facts.neededBytes)
    return `Too little disk at ${facts.dataDir}: ${gigabytes(facts.freeBytes)} free, ${gigabytes(facts.neededBytes)} needed. Free some, or give another folder with --data DIR.`;
  const [taken] = facts.takenPorts;
  if (taken !== undefined)
    return `Port ${taken.port} (${taken.purpose}) is taken by another program. Stop that program, or choose other ports with ${taken.flag}.`;
  if (facts.poolOccupant !== null)
    return `The addresses ${facts.pool}, which containers of ${facts.dataDir} have, are on the network interface ${facts.poolOccupant} already. Stop what uses it, or give another folder with --data DIR.`;
  return null;
}
