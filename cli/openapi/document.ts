/** The API's OpenAPI document, from the routes alone: nothing that they would work with is there, and nothing is asked for it. */
import fastify from 'fastify';
import pino from 'pino';
import { startApi } from '../../api/start.ts';
import { defaultAddressPools } from '../../core/node/addresses.ts';
import { openDatabase } from '../../prisma/client.ts';

const absent = (): Promise<never> => Promise.reject(new Error('Nothing works while routes are only described.'));

export async function openApiDocument(): Promise<unknown> {
  // Opened lazily: no connection is made.
  const database = openDatabase('postgres://127.0.0.1:1/none');
  const api = startApi({
    database,
    queues: { enqueue: absent, ping: absent },
    wake: { subscribe: () => () => undefined, waitFor: absent, close: () => Promise.resolve() },
    config: {
      publicUrl: 'http://127.0.0.1:7780',
      github: { url: 'https://github.com' },
      registry: { host: '', path: '', insecure: false, credentials: null },
      build: { cpuMillis: 0, memoryBytes: 0, maxLogBytes: 0 },
      pools: defaultAddressPools,
    },
    masterKeys: { keys: [new Uint8Array(32)] },
    log: pino({ level: 'silent' }),
    now: () => new Date(0),
  });
  const server = fastify();
  try {
    await api.register(server);
    return (await server.inject('/api/v1/openapi.json')).json();
  } finally {
    await server.close();
    await database.close();
  }
}
