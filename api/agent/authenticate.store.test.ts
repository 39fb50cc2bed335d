import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateKeyPair } from '../../platform/crypto/keys.ts';
import { agentOf, openTestAgent, openTestApi, useTestAgent, useTestApi } from '../../test/store/api.ts';

const api = useTestApi();
const agent = useTestAgent(api, 'one');

const path = '/expected-state';
const url = `/api/v1/agent${path}`;
const refusal = (answer: { statusCode: number; json: () => unknown }) => [
  answer.statusCode,
  (answer.json() as { error: { code: string } }).error.code,
];

/** Sends the head of a request that announces a body of this size, and nothing of the body until `send` is called. */
function announce(path: string, size: number, headers: Record<string, string>) {
  const { port } = api.fastify.server.address() as AddressInfo;
  const length = { 'content-type': 'application/json', 'content-length': String(size) };
  const sent = request({ port, method: 'POST', path: `/api/v1/agent${path}`, headers: { ...headers, ...length } });
  sent.flushHeaders();
  const answer = once(sent, 'response').then(async ([response]) => {
    const { statusCode } = response as IncomingMessage;
    return { statusCode, body: await text(response as IncomingMessage) };
  });
  return { answer, send: (body: string) => sent.end(body), drop: () => sent.destroy() };
}

describe('a body', () => {
  const size = 16 * 1024 * 1024;
  beforeAll(() => api.fastify.listen({ port: 0, host: '127.0.0.1' }));

  async function refusedUnread(headers: Record<string, string>): Promise<string> {
    const unread = announce('/status', size, headers);
    const { statusCode, body } = await unread.answer;
    unread.drop();
    expect(statusCode).toBe(401);
    return (JSON.parse(body) as { error: { code: string } }).error.code;
  }

  it('P41: is not read when the request is not signed, or by nobody, by another or long ago', async () => {
    expect(await refusedUnread({})).toBe('signature_missing');
    const nobody = agentOf(api, 'bd9ee6f1-7d70-4f0a-9d4f-5a4a0f7f7f7f', agent.keys);
    expect(await refusedUnread(nobody.signed('POST', '/status').headers)).toBe('signature_unknown_key');
    const impostor = agentOf(api, agent.nodeId, { ...agent.keys, signing: generateKeyPair('Ed25519') });
    expect(await refusedUnread(impostor.signed('POST', '/status').headers)).toBe('signature_bad_signature');
    const late = agent.signed('POST', '/status', { now: new Date(api.clock.now.getTime() - 62_000) });
    expect(await refusedUnread(late.headers)).toBe('signature_stale');
  });

  it('is taken when it comes after the head that signed it, and refused when it is another', async () => {
    const batches = '{"batches":[]}';
    for (const [body, status] of [
      [batches, 200],
      ['{"batches":{}}', 401],
    ] as const) {
      const slow = announce('/logs', batches.length, agent.signed('POST', '/logs', { body: { batches: [] } }).headers);
      slow.send(body);
      expect((await slow.answer).statusCode).toBe(status);
    }
  });

  it('is small where little is said', async () => {
    const large = { attempt: 1, padding: 'x'.repeat(2_000) };
    const id = 'bd9ee6f1-7d70-4f0a-9d4f-5a4a0f7f7f7f';
    for (const call of ['claim', 'renew'])
      expect((await agent.call('POST', `/work/${id}/${call}`, { body: large })).statusCode).toBe(413);
  });
});

describe('signed requests', () => {
  it('are taken', async () => {
    expect((await agent.call('GET', path)).statusCode).toBe(200);
  });

  it('P63: are refused the second time, in this process and in another', async () => {
    const { headers } = agent.signed('GET', path);
    expect((await api.fastify.inject({ url, headers })).statusCode).toBe(200);
    expect(refusal(await api.fastify.inject({ url, headers }))).toEqual([401, 'signature_replayed']);
    const other = await openTestApi({ beside: api });
    expect(refusal(await other.fastify.inject({ url, headers }))).toEqual([401, 'signature_replayed']);
    await other.close();
  });

  it('P63: are taken once when copies come at the same moment, here and in another process', async () => {
    const other = await openTestApi({ beside: api });
    const { headers } = agent.signed('GET', path);
    const answers = await Promise.all(
      [api, api, other, other, api].map(({ fastify }) => fastify.inject({ url, headers })),
    );
    expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401, 401]);
    await other.close();
  });

  it('P63: are refused outside of 60 seconds', async () => {
    const at = (ms: number) => ({ now: new Date(api.clock.now.getTime() + ms) });
    expect(refusal(await agent.call('GET', path, at(-62_000)))).toEqual([401, 'signature_stale']);
    expect(refusal(await agent.call('GET', path, at(62_000)))).toEqual([401, 'signature_clock_ahead']);
    expect((await agent.call('GET', path, at(-55_000))).statusCode).toBe(200);
  });

  it('P63: are refused with another path, query, method or body than was signed', async () => {
    const query = agent.signed('GET', `${path}?wait=0`);
    expect(refusal(await api.fastify.inject({ url: `${url}?wait=1`, headers: query.headers }))[1]).toBe(
      'signature_bad_signature',
    );
    const body = agent.signed('POST', '/logs', { body: { batches: [] } });
    const tampered = { method: 'POST', headers: body.headers, payload: '{"batches":[ ]}' } as const;
    expect(refusal(await api.fastify.inject({ ...tampered, url: '/api/v1/agent/logs' }))[1]).toBe(
      'signature_bad_digest',
    );
    const moved = { ...tampered, payload: body.body ?? '' };
    expect(refusal(await api.fastify.inject({ ...moved, url: '/api/v1/agent/status' }))[1]).toBe(
      'signature_bad_signature',
    );
    expect((await api.fastify.inject({ ...moved, url: '/api/v1/agent/logs' })).statusCode).toBe(200);
  });

  it('are refused without a signature, by nobody, and under the name of another node', async () => {
    expect(refusal(await api.fastify.inject({ url }))).toEqual([401, 'signature_missing']);
    const nobody = agentOf(api, 'bd9ee6f1-7d70-4f0a-9d4f-5a4a0f7f7f7f', agent.keys);
    expect(refusal(await nobody.call('GET', path))).toEqual([401, 'signature_unknown_key']);
    const other = await openTestAgent(api, 'two');
    const impostor = agentOf(api, other.nodeId, agent.keys);
    expect(refusal(await impostor.call('GET', path))).toEqual([401, 'signature_bad_signature']);
    expect(refusal(await agentOf(api, "x'; --", agent.keys).call('GET', path))).toEqual([401, 'signature_unknown_key']);
  });

  it('are refused at once when the key of the node was replaced, also while the old one is cached', async () => {
    const third = await openTestAgent(api, 'three');
    expect((await third.call('GET', path)).statusCode).toBe(200);
    const fresh = generateKeyPair('Ed25519');
    await api.database.db.node.update({ where: { id: third.nodeId }, data: { signingKey: fresh.publicKey } });
    expect(refusal(await third.call('GET', path))).toEqual([401, 'signature_unknown_key']);
    const renewed = agentOf(api, third.nodeId, { ...third.keys, signing: fresh });
    expect((await renewed.call('GET', path)).statusCode).toBe(200);
  });

  it('say nothing internal when a body is not JSON, too large or of another type, and name the field that is wrong', async () => {
    const wrong = await agent.call('POST', '/logs', {
      body: { batches: [{ kind: 'build', id: 'x', attempt: 1, offset: -1, lines: [], end: false }] },
    });
    expect(wrong.json()).toEqual({
      error: {
        code: 'invalid_request',
        message: 'The request does not have the shape that this route takes.',
        hint: 'body/batches/0/offset must be >= 0',
      },
    });
    const text = await api.fastify.inject({
      method: 'POST',
      url: '/api/v1/agent/register',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    });
    expect(refusal(text)).toEqual([400, 'invalid_request']);
    const type = await api.fastify.inject({
      method: 'POST',
      url: '/api/v1/agent/register',
      headers: { 'content-type': 'text/plain' },
      payload: 'x',
    });
    expect(refusal(type)).toEqual([415, 'unsupported_media_type']);
    const large = await api.fastify.inject({
      method: 'POST',
      url: '/api/v1/agent/register',
      headers: { 'content-type': 'application/json' },
      payload: `"${'x'.repeat(2_000_000)}"`,
    });
    expect(refusal(large)).toEqual([413, 'payload_too_large']);
    expect(refusal(await api.fastify.inject({ url: '/api/v1/nothing' }))).toEqual([404, 'not_found']);
  });
});
