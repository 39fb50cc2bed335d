import { createHmac } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { isSignedBy } from '../../platform/github/webhook-signature.ts';
import type { NewDelivery } from '../../prisma/store/deliveries.ts';
import type { BodyLimits } from './body.ts';
import { maxWebhookBytes, webhookIntake, type IntakeDeps } from './webhook-intake.ts';

const secret = 'whsec';
const now = new Date('2030-01-01T00:00:00Z');
const push = JSON.stringify({ ref: 'refs/heads/main', repository: { id: 9 }, installation: { id: 5 } });

interface Inbox {
  fastify: FastifyInstance;
  stored: Map<string, NewDelivery>;
  woken: string[];
}

const open: FastifyInstance[] = [];

async function inbox(deps: Partial<IntakeDeps> = {}, limits?: BodyLimits): Promise<Inbox> {
  const stored = new Map<string, NewDelivery>();
  const woken: string[] = [];
  const fastify = Fastify();
  open.push(fastify);
  const intake: IntakeDeps = {
    verify: (rawBody, signature) => isSignedBy(secret, rawBody, signature),
    store: (deliveries) => {
      const fresh = deliveries.filter(({ guid }) => !stored.has(guid));
      for (const delivery of fresh) stored.set(delivery.guid, delivery);
      return Promise.resolve(new Set(fresh.map(({ guid }) => guid)));
    },
    wake: (guids) => {
      woken.push(...guids);
      return Promise.resolve();
    },
    handles: new Set(['push', 'installation.created']),
    log: pino({ level: 'silent' }),
    now: () => now,
    ...deps,
  };
  await webhookIntake(intake, limits)(fastify);
  return { fastify, stored, woken };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((fastify) => fastify.close()));
});

function headersFor(body: string | Buffer, changes: Record<string, string | undefined> = {}): Record<string, string> {
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const headers: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'a0b1c2d3-0000-11ef-8000-000000000001',
    'x-hub-signature-256': signature,
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

async function post(fastify: FastifyInstance, body: string | Buffer, changes: Record<string, string | undefined> = {}) {
  const response = await fastify.inject({
    method: 'POST',
    url: '/webhooks/github',
    payload: body,
    headers: headersFor(body, changes),
  });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

const refused = (code: string) => ({ error: { code, message: expect.stringMatching(/\w.*\.$/) as string } });

describe('POST /webhooks/github', () => {
  it('P40: stores the raw bytes, answers, and then wakes the work', async () => {
    const { fastify, stored, woken } = await inbox();
    const spaced = ` ${push} `;
    expect(await post(fastify, spaced)).toEqual({ status: 202, body: { status: 'accepted' } });
    const [delivery] = stored.values();
    expect(delivery).toEqual({
      guid: 'a0b1c2d3-0000-11ef-8000-000000000001',
      event: 'push',
      action: null,
      installationId: 5,
      repositoryId: 9,
      payload: Buffer.from(spaced),
      receivedAt: now,
      storedAt: now,
      ignored: null,
    });
    expect(woken).toEqual([delivery?.guid]);
  });

  it('P40: answers a delivery that it knows, and does nothing', async () => {
    const { fastify, woken } = await inbox();
    await post(fastify, push);
    expect(await post(fastify, push)).toEqual({ status: 202, body: { status: 'duplicate' } });
    expect(woken).toHaveLength(1);
  });

  it('P40: does not answer before the delivery is stored, and not at all well when it cannot be', async () => {
    const { fastify, woken } = await inbox({ store: () => Promise.reject(new Error('connection refused')) });
    expect(await post(fastify, push)).toMatchObject({ status: 503, body: refused('unavailable') });
    expect(woken).toEqual([]);
  });

  it('answers although nobody could be woken: the sweep finds what is stored', async () => {
    const { fastify, stored } = await inbox({ wake: () => Promise.reject(new Error('the queue is away')) });
    expect((await post(fastify, push)).status).toBe(202);
    expect(stored.size).toBe(1);
  });

  it.each([
    ['an event that nothing handles', 'star', '{"action":"created"}'],
    ['an event that GitHub invents tomorrow', 'teleport', '{"action":"beamed"}'],
    ['an action that nothing handles', 'installation', '{"action":"renamed"}'],
  ])('keeps %s as ignored', async (_what, event, body) => {
    const { fastify, stored, woken } = await inbox();
    expect((await post(fastify, body, { 'x-github-event': event })).status).toBe(202);
    expect([...stored.values()]).toMatchObject([{ event, ignored: { code: 'event_unhandled' } }]);
    expect(woken).toEqual([]);
  });

  it('P43: takes payloads whose fields are new, missing or of another form', async () => {
    const { fastify, stored } = await inbox();
    const body = JSON.stringify({ action: 7, repository: 'gone', installation: null, invented: { deep: [1] } });
    expect((await post(fastify, body)).status).toBe(202);
    expect([...stored.values()]).toMatchObject([{ action: null, repositoryId: null, installationId: null }]);
  });

  it.each([
    ['unsigned', { 'x-hub-signature-256': undefined }, 401, 'webhook_signature_missing'],
    ['wrongly signed', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }, 401, 'webhook_signature_invalid'],
    ['signed the old way', { 'x-hub-signature-256': 'sha1=abc' }, 401, 'webhook_signature_invalid'],
    ['without an event', { 'x-github-event': undefined }, 400, 'webhook_header_missing'],
    ['without a GUID', { 'x-github-delivery': undefined }, 400, 'webhook_header_missing'],
    ['with a GUID that is none', { 'x-github-delivery': 'a b;c' }, 400, 'webhook_header_missing'],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
  ])('refuses a webhook %s', async (_what, changes, status, code) => {
    const { fastify, stored } = await inbox();
    expect(await post(fastify, push, changes)).toMatchObject({ status, body: refused(code) });
    expect(stored.size).toBe(0);
  });

  it.each([
    ['without a body, and without a word about one', {}],
    ['without a body, announced as JSON', { 'content-type': 'application/json' }],
    ['whose body is announced as empty', { 'content-type': 'application/json', 'content-length': '0' }],
  ])('refuses a webhook %s', async (_what, announced) => {
    const { fastify, stored } = await inbox();
    const headers = { ...headersFor('', { 'content-type': undefined }), ...announced };
    const response = await fastify.inject({ method: 'POST', url: '/webhooks/github', headers });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject(refused('webhook_payload_invalid'));
    expect(stored.size).toBe(0);
  });

  it('refuses a body that was changed on the way', async () => {
    const { fastify } = await inbox();
    const response = await post(fastify, push.replace('main', 'prod'), headersFor(push));
    expect(response).toMatchObject({ status: 401, body: refused('webhook_signature_invalid') });
  });

  it.each([
    ['truncated', push.slice(0, -5)],
    ['empty', ''],
    ['no object', '[1]'],
    ['null', 'null'],
    ['not UTF-8 that JSON takes', Buffer.from([0x7b, 0xff, 0x7d])],
  ])('refuses JSON that is %s although it is signed', async (_what, body) => {
    const { fastify, stored } = await inbox();
    expect(await post(fastify, body)).toMatchObject({ status: 400, body: refused('webhook_payload_invalid') });
    expect(stored.size).toBe(0);
  });

  it('P41: refuses more than 25 MB, and says so', async () => {
    const { fastify } = await inbox();
    const body = Buffer.alloc(maxWebhookBytes + 1, ' ');
    expect(await post(fastify, body)).toMatchObject({ status: 413, body: refused('payload_too_large') });
  });

  it('takes 25 MB', async () => {
    const { fastify, stored } = await inbox();
    const body = push.padEnd(maxWebhookBytes, ' ');
    expect((await post(fastify, body)).status).toBe(202);
    expect(stored.size).toBe(1);
  });
});

describe('on a socket', () => {
  /** Announces a length, sends what is given, and gives the status without ever ending the request. */
  async function sendUnended(fastify: FastifyInstance, headers: Record<string, string>, part: Buffer): Promise<number> {
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    return (await answerToUnended(fastify, headers, part)).statusCode ?? 0;
  }

  function answerToUnended(fastify: FastifyInstance, headers: Record<string, string>, part: Buffer) {
    const { port } = fastify.server.address() as AddressInfo;
    return new Promise<IncomingMessage>((resolve, reject) => {
      const sending = request(
        { port, host: '127.0.0.1', method: 'POST', path: '/webhooks/github', headers },
        (answer) => {
          sending.destroy();
          resolve(answer);
        },
      );
      sending.on('error', reject);
      sending.write(part);
    });
  }

  it('P41: refuses an unsigned body before it was read', async () => {
    const { fastify } = await inbox();
    const headers = headersFor(push, { 'x-hub-signature-256': undefined, 'content-length': '26000000' });
    expect(await sendUnended(fastify, headers, Buffer.alloc(1_000, ' '))).toBe(401);
  });

  it('P41: refuses an announced length beyond 25 MB before it was read', async () => {
    const { fastify } = await inbox();
    const headers = headersFor(push, { 'content-length': '314572800' });
    expect(await sendUnended(fastify, headers, Buffer.alloc(1_000, ' '))).toBe(413);
  });

  it('P41: stops reading at 25 MB when no length was announced', async () => {
    const { fastify } = await inbox();
    const headers = headersFor(push, { 'transfer-encoding': 'chunked' });
    expect(await sendUnended(fastify, headers, Buffer.alloc(maxWebhookBytes + 1, ' '))).toBe(413);
  });

  const mib = 1024 * 1024;
  const wronglySigned = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}`, 'transfer-encoding': 'chunked' };

  it('P41: keeps room for webhooks while others send what never ends', async () => {
    const limits = { bodyBytes: 5 * mib, allBytes: 12 * mib, withinMs: 60_000 };
    const { fastify } = await inbox({}, limits);
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    const hogs = Array.from({ length: 4 }, () =>
      answerToUnended(fastify, headersFor(push, wronglySigned), Buffer.alloc(4 * mib, ' ')),
    );
    const refusal = await Promise.race(hogs);
    expect([refusal.statusCode, refusal.headers['retry-after'], refusal.headers.connection]).toEqual([
      ...[503, '10', 'close'],
    ]);
    expect((await post(fastify, push)).status).toBe(202);
    fastify.server.closeAllConnections();
    await Promise.allSettled(hogs);
  });

  it('P41: ends what does not come to its end in time', async () => {
    const { fastify } = await inbox({}, { bodyBytes: mib, allBytes: mib, withinMs: 100 });
    expect(await sendUnended(fastify, headersFor(push, wronglySigned), Buffer.alloc(10, ' '))).toBe(408);
  });
});
