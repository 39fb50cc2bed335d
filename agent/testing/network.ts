/** A network for the containers of a test that nothing else on this machine has, whatever runs beside it. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface TestNetwork {
  bridge: string;
  subnet: string;
  gateway: string;
  /** Of a container; `host` is 2 to 254. */
  address: (host: number) => string;
}

/** The default ranges of nodes and of their containers: a Landfall that somebody uses may have them. */
const takenByDefault = [100, 200];

function isTaken(prefix: string): boolean {
  return Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.address.startsWith(prefix) === true);
}

/** A port has one holder, so the network of a port has one too: held until this process ends. */
export async function reserveNetwork(): Promise<TestNetwork> {
  const holder = createServer().listen(0, '127.0.0.1').unref();
  await once(holder, 'listening');
  const address = holder.address();
  if (address === null || typeof address === 'string') throw new Error('The holder of a network has no port.');
  const second = address.port >> 8;
  const prefix = `10.${second}.${address.port & 255}.`;
  if (takenByDefault.includes(second) || isTaken(prefix)) return reserveNetwork();
  return {
    bridge: `lftest-${address.port}`,
    subnet: `${prefix}0/24`,
    gateway: `${prefix}1`,
    address: (host) => `${prefix}${host}`,
  };
}
