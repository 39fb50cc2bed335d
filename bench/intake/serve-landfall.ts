/** A process that serves Landfall's own intake, on a real database and queue, and prints its port. */
import Fastify from 'fastify';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { handledEvents } from '../../bot/handlers/register.ts';
import { webhookIntake } from '../../bot/intake/webhook-intake.ts';
import { isSignedBy } from '../../platform/github/webhook-signature.ts';
import { wakeDeliveries } from '../../bot/deliveries/together.ts';
import { openQueues } from '../../platform/queue/queues.ts';
import { openDatabase } from '../../prisma/client.ts';
import { insertDeliveries } from '../../prisma/store/deliveries.ts';

const [databaseUrl = '', secret = ''] = process.argv.slice(2);
const database = openDatabase(databaseUrl);
const queues = await openQueues(databaseUrl);
const fastify = Fastify();
await webhookIntake({
  verify: (rawBody, signature) => isSignedBy(secret, rawBody, signature),
  store: (deliveries) => insertDeliveries(database.pool, deliveries),
  wake: (guids) => wakeDeliveries(queues, guids),
  handles: handledEvents,
  log: pino({ level: 'warn' }),
  now: () => new Date(),
})(fastify);
await fastify.listen({ port: 0, host: '127.0.0.1' });
console.log((fastify.server.address() as AddressInfo).port);
