import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AccessTokenList, AccessTokenMade } from '../../core/contract/access-tokens.ts';
import type { LogPage } from '../../core/contract/resources/log-pages.ts';
import { hashToken } from '../../platform/crypto/hash.ts';
import { replaceConfiguredToken } from '../../prisma/store/access-tokens.ts';
import { useBearer, useTestApi } from '../../test/store/api.ts';
import { makeWorld, sha } from '../../test/store/rows.ts';

const api = useTestApi();
const headers = useBearer(api, 'ada');
let base: string;

beforeAll(async () => {
  await api.fastify.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(api.fastify.server.address() as AddressInfo).port}`;
});

const call = (path: string, init: RequestInit = {}) => fetch(`${base}/api/v1${path}`, { headers, ...init });
const add = (name: string) =>
  call('/tokens', {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
const made = async (name: string): Promise<AccessTokenMade> => (await (await add(name)).json()) as AccessTokenMade;
const bearing = ({ token }: AccessTokenMade) => ({ authorization: `Bearer ${token}` });
const names = async () =>
  ((await (await call('/tokens')).json()) as AccessTokenList).accessTokens.map(({ name }) => name);

describe('access tokens', () => {
  it('open the API from when they are made until they are revoked, and are listed without the token', async () => {
    const bob = await made('bob');
    expect((await call('/nodes', { headers: bearing(bob) })).status).toBe(200);
    const listed = await (await call('/tokens')).text();
    expect(listed).toContain('"bob"');
    expect(listed).not.toContain(bob.token);
    expect((await call(`/tokens/${bob.accessToken.id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await call('/nodes', { headers: bearing(bob) })).status).toBe(401);
    expect(await names()).toEqual(['ada']);
    expect((await call(`/tokens/${bob.accessToken.id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('say in the audit events who made and who revoked them', async () => {
    const { accessToken } = await made('carol');
    await call(`/tokens/${accessToken.id}`, { method: 'DELETE' });
    const events = await api.database.db.auditEvent.findMany({
      where: { subject: `token:${accessToken.id}` },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ actor, action }) => [actor, action])).toEqual([
      ['ada', 'token.added'],
      ['ada', 'token.revoked'],
    ]);
  });

  it('have a name that no other in force has, which one that was revoked leaves free', async () => {
    const answers = await Promise.all([add('dave'), add('dave'), add('dave')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const { accessTokens } = (await (await call('/tokens')).json()) as AccessTokenList;
    const dave = accessTokens.find(({ name }) => name === 'dave')!;
    await call(`/tokens/${dave.id}`, { method: 'DELETE' });
    expect((await add('dave')).status).toBe(200);
    expect((await add('LANDFALL_ACCESS_TOKEN')).status).toBe(400);
  });
});

it('the token that the server is configured with is not revoked, which nobody could take back', async () => {
  const { db } = api.database;
  const { token } = await replaceConfiguredToken(db, hashToken('configured'), api.clock.now);
  const refused = await call(`/tokens/${token!.id}`, { method: 'DELETE' });
  expect([refused.status, await refused.json()]).toMatchObject([409, { error: { code: 'token_configured' } }]);
  expect((await call('/tokens', { headers: { authorization: 'Bearer configured' } })).status).toBe(200);
});

describe('a revoked access token', () => {
  const withinMs = 5_000;

  async function revoke({ accessToken }: AccessTokenMade): Promise<number> {
    expect((await call(`/tokens/${accessToken.id}`, { method: 'DELETE' })).status).toBe(200);
    return performance.now();
  }

  it('P72: ends the log that it follows within 5 seconds', async () => {
    const eve = await made('eve');
    const world = await makeWorld(api.database.db);
    const path = `/services/${world.service.id}/logs`;
    const { cursor } = (await (await call(path, { headers: bearing(eve) })).json()) as LogPage;
    const waiting = call(`${path}?cursor=${cursor}&wait=30`, { headers: bearing(eve) });
    const began = await revoke(eve);
    expect((await waiting).status).toBe(401);
    expect(performance.now() - began).toBeLessThan(withinMs);
  });

  it('P72: ends the live page of whom it signed in within 5 seconds', async () => {
    const frank = await made('frank');
    const link = await call('/login-links', { method: 'POST', headers: bearing(frank) });
    const { pathname, search } = new URL(((await link.json()) as { url: string }).url);
    const signedIn = await fetch(`${base}${pathname}${search}`, { redirect: 'manual' });
    const cookie = String(signedIn.headers.get('set-cookie')).split(';')[0] ?? '';
    const { environmentId } = await makeWorld(api.database.db);
    const { id } = await api.database.db.intent.create({
      data: {
        ...{ environmentId, sha, ref: 'refs/heads/main', trigger: 'push', actor: 'ada' },
        ...{ config: {}, requestedAt: new Date() },
      },
    });
    const request = get(`${base}/intents/${id}/events`, { headers: { cookie } });
    const [page] = (await once(request, 'response')) as [IncomingMessage];
    expect(page.statusCode).toBe(200);
    let said = '';
    page.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said).toContain('event: state');
    const began = await revoke(frank);
    await once(page, 'end');
    expect(performance.now() - began).toBeLessThan(withinMs);
    expect(said).toContain('event: revoked');
    expect((await fetch(base, { headers: { cookie } })).status).toBe(401);
  });
});
