/** Ports of 127.0.0.1: whether one is free, and any that is. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { codeOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';

/** The port itself when it is free; a free one for 0. */
export async function takePort(port: number): Promise<number> {
  const server = createServer();
  server.listen({ port, host: '127.0.0.1' });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw portTaken(port);
    throw error;
  }
  const taken = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return taken;
}

function portTaken(port: number): StalledError {
  return new StalledError(
    'port_taken',
    `Port ${port} of 127.0.0.1, meant for PostgreSQL, is taken by another process.`,
    {
      hint: 'Stop that process, choose another port, or set DATABASE_URL to a server of your own.',
    },
  );
}
