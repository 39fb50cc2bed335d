/** A process that serves the API on the database of its first argument, and prints its port. */
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import pino from 'pino';
import { startApi } from '../../api/start.ts';
import { openWake } from '../../platform/wake/wake.ts';
import { openDatabase } from '../../prisma/client.ts';

const [url = ''] = process.argv.slice(2);
const nothing = (): Promise<void> => Promise.resolve();

const api = startApi({
  database: openDatabase(url),
  wake: await openWake(url),
  // Expected state is read, never queued for.
  queues: { enqueue: nothing, ping: nothing },
  config: {
    publicUrl: 'http://127.0.0.1',
    github: { url: 'https://github.com' },
    registry: { host: '', path: '', insecure: false, credentials: null },
    build: { cpuMillis: 0, memoryBytes: 0, maxLogBytes: 0 },
    pools: { containers: '10.0.0.0/9', wireguard: '10.128.0.0/9' },
  },
  masterKeys: { keys: [new Uint8Array(32)] },
  log: pino({ level: 'warn' }),
  now: () => new Date(),
});
const server = fastify();
await api.register(server);
await server.listen({ port: 0, host: '127.0.0.1' });
console.log((server.server.address() as AddressInfo).port);
