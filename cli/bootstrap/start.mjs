/** Refuses what can be refused of `up` before a single package is installed for it. Needs nothing but Node. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { missingPackages } from './debian.mjs';
import { Failure } from './failure.mjs';
import { defaultFirstPort, portsFrom, takenPorts } from './ports.mjs';
import { machineObstacle, packageBytes, roomObstacle, runBytes } from './preflight.mjs';

/** The option's last value, as `--name VALUE` or `--name=VALUE`. @param {readonly string[]} args @param {string} name */
function valueOf(args, name) {
  const values = args.flatMap((word, index) => {
    if (word === name) return args[index + 1] ?? [];
    return word.startsWith(`${name}=`) ? word.slice(name.length + 1) : [];
  });
  return values.at(-1);
}

/**
 * Where `up` would keep its data, and its first port. A port that is none is left to the command itself.
 * @param {readonly string[]} args
 */
export function startOptions(args) {
  const port = Number(valueOf(args, '--port') ?? defaultFirstPort);
  return {
    data: valueOf(args, '--data') ?? '.landfall',
    port: Number.isInteger(port) && port > 0 && port < 65_533 ? port : null,
    asksHelp: args.includes('--help') || args.includes('-h'),
  };
}

/** The folder itself, or the one that it would be made in. @param {string} directory @returns {string} */
function nearest(directory) {
  return existsSync(directory) ? directory : nearest(path.dirname(directory));
}

/** @param {string} directory */
function isWritable(directory) {
  try {
    accessSync(directory, constants.W_OK);
    return statSync(directory).isDirectory();
  } catch (error) {
    if (error.code === undefined) throw error;
    return false;
  }
}

function machineFacts(dataDir) {
  const isRoot = process.getuid?.() === 0;
  return {
    ...{ platform: process.platform, isRoot, dataDir, heldBy: null },
    missingPackages: isRoot ? [] : missingPackages(),
    dataWritable: isWritable(nearest(dataDir)),
  };
}

/** @param {string} dataDir As cli/up/holder.ts has it. */
const wasUsed = (dataDir) => existsSync(path.join(dataDir, 'up.owner'));

/** The packages come to lie in the checkout, which often is on the same disk. */
async function roomFacts(root, dataDir, port) {
  const place = nearest(dataDir);
  const { bavail, bsize } = statfsSync(place);
  const isSameDisk = statSync(place).dev === statSync(root).dev;
  return {
    dataDir,
    freeBytes: bavail * bsize,
    neededBytes: runBytes + (isSameDisk ? packageBytes : 0),
    // An earlier `up` of this folder may be about to leave them.
    takenPorts: port === null || wasUsed(dataDir) ? [] : await takenPorts(portsFrom(port)),
    // Which addresses it is to have, `up` knows by itself.
    ...{ pool: '', poolOccupant: null },
  };
}

/** @param {string} root The checkout. @param {readonly string[]} args Those of `up`. */
export async function insistOnStart(root, args) {
  const { data, port, asksHelp } = startOptions(args);
  if (asksHelp) return;
  const dataDir = path.resolve(data);
  const obstacle = machineObstacle(machineFacts(dataDir)) ?? roomObstacle(await roomFacts(root, dataDir, port));
  if (obstacle !== null) throw new Failure(obstacle);
}
