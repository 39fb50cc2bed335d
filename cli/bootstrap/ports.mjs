/** The ports of a local Landfall: four in a row, on loopback. */
import { createServer } from 'node:net';

export const defaultFirstPort = 7780;

/** @param {number} first */
export function portsFrom(first) {
  return { server: first, sandbox: first + 1, registry: first + 2, database: first + 3 };
}

const purposes = {
  server: 'server and console',
  sandbox: 'sandbox GitHub',
  registry: 'image registry',
  database: 'PostgreSQL',
};

/** @param {number} port @returns {Promise<boolean>} */
function isTaken(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}

/** Those of the ports that something else listens on. @param {Record<string, number>} ports */
export async function takenPorts(ports) {
  const names = Object.keys(purposes);
  const taken = await Promise.all(names.map((name) => isTaken(ports[name])));
  return names
    .filter((_name, index) => taken[index])
    .map((name) => ({ port: ports[name], purpose: purposes[name], flag: '--port' }));
}
