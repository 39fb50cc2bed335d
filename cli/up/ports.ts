/** The ports of a local Landfall: four in a row, on loopback. */
import { createServer } from 'node:net';

export interface Ports {
  server: number;
  sandbox: number;
  registry: number;
  database: number;
}

export const defaultFirstPort = 7780;

export function portsFrom(first: number): Ports {
  return { server: first, sandbox: first + 1, registry: first + 2, database: first + 3 };
}

const purposes = {
  server: 'server and console',
  sandbox: 'sandbox GitHub',
  registry: 'image registry',
  database: 'PostgreSQL',
} as const satisfies Record<keyof Ports, string>;

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}

/** Those of the ports that something else listens on. */
export async function takenPorts(ports: Ports): Promise<{ port: number; purpose: string; flag: string }[]> {
  const names = ['server', 'sandbox', 'registry', 'database'] as const satisfies (keyof Ports)[];
  const taken = await Promise.all(names.map((name) => isTaken(ports[name])));
  return names
    .filter((_name, index) => taken[index] === true)
    .map((name) => ({ port: ports[name], purpose: purposes[name], flag: '--port' }));
}
