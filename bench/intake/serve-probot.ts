/** A process that serves Probot's own middleware with a handler that does nothing, and prints its port. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { createNodeMiddleware, Probot } from 'probot';

const [secret = ''] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const probot = new Probot({ appId: 1, privateKey, secret, log: pino({ level: 'warn' }) });
function doNothing(app: Probot): void {
  app.on('push', () => undefined);
}

const middleware = await createNodeMiddleware(doNothing, { probot, webhooksPath: '/webhooks/github' });
const server = createServer((request, response) => void middleware(request, response));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
