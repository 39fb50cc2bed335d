/** The peer: a bare Fastify route that verifies the same signature and answers 304. Prints its port. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { splitTarget } from '../../platform/signature/sign.ts';
import { verifySignature } from '../../platform/signature/verify.ts';
import type { FleetNode } from './agents.ts';

const [fleetFile = ''] = process.argv.slice(2);
const fleet = JSON.parse(readFileSync(fleetFile, 'utf8')) as FleetNode[];
const keys = new Map(fleet.map(({ id, signing }) => [id, signing.publicKey]));
const noBytes = new Uint8Array();

const server = fastify();
server.get('/api/v1/agent/expected-state', async (request, reply) => {
  const { ok } = await verifySignature({
    ...splitTarget(request.raw.url ?? ''),
    ...{ method: request.method, body: noBytes, headers: request.headers, now: new Date() },
    publicKeyFor: (keyId) => keys.get(keyId) ?? null,
  });
  return reply.code(ok ? 304 : 401).send();
});
await server.listen({ port: 0, host: '127.0.0.1' });
console.log((server.server.address() as AddressInfo).port);
