import { beforeEach, describe, expect, it } from 'vitest';
import { hashToken } from '../../platform/crypto/hash.ts';
import { agentOf, bearer, makeKeys, makeToken, register, useTestApi } from '../../test/store/api.ts';

const api = useTestApi({ config: { pools: { containers: '10.200.0.0/20', wireguard: '10.100.0.0/20' } } });
beforeEach(async () => {
  await api.database.db.registrationToken.deleteMany();
  await api.database.db.node.deleteMany();
});

const code = (answer: { json: () => { error: { code: string } } }) => answer.json().error.code;

describe('registration', () => {
  it('makes a node with the smallest free subnet', async () => {
    const answer = await register(api, await makeToken(api, 'one'), makeKeys());
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      nodeId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'one',
      kind: 'worker',
      subnet: 1,
      containerCidr: '10.200.1.0/24',
      wireguardAddress: '10.100.1.1',
    });
  });

  it('P13: gives the same answer again to the same token and keys, however often', async () => {
    const [token, keys] = [await makeToken(api, 'one'), makeKeys()];
    const answers = await Promise.all([1, 2, 3].map(() => register(api, token, keys)));
    answers.push(await register(api, token, keys));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(await api.database.db.node.count()).toBe(1);
    api.clock.now = new Date(api.clock.now.getTime() + 25 * 3_600_000);
    expect((await register(api, token, keys)).statusCode).toBe(200);
  });

  it('P13: takes the token still after an attempt that failed before anything was written', async () => {
    const [token, keys] = [await makeToken(api, 'one'), makeKeys()];
    await api.database.db.$executeRaw`ALTER TABLE "Node" RENAME TO "NodeAway"`;
    expect((await register(api, token, keys)).statusCode).toBe(500);
    await api.database.db.$executeRaw`ALTER TABLE "NodeAway" RENAME TO "Node"`;
    expect((await register(api, token, keys)).statusCode).toBe(200);
  });

  it('refuses a missing, wrong, expired and reused token, each by name', async () => {
    const token = await makeToken(api, 'one');
    expect(code(await register(api, 'x'.repeat(30), makeKeys()))).toBe('token_unknown');
    const keys = makeKeys();
    const { token: _none, ...rest } = { token, kind: 'worker' };
    const missing = await api.fastify.inject({ method: 'POST', url: '/api/v1/agent/register', payload: rest });
    expect([missing.statusCode, code(missing)]).toEqual([401, 'token_missing']);
    expect((await register(api, token, keys)).statusCode).toBe(200);
    expect(code(await register(api, token, makeKeys()))).toBe('token_used');
    const late = await makeToken(api, 'two');
    api.clock.now = new Date(api.clock.now.getTime() + 86_400_000);
    expect(code(await register(api, late, makeKeys()))).toBe('token_expired');
  });

  it('refuses the other kind, a name and keys that are taken', async () => {
    const keys = makeKeys();
    expect(code(await register(api, await makeToken(api, 'proxy', 'proxy'), keys))).toBe('kind_mismatch');
    expect((await register(api, await makeToken(api, 'one'), keys)).statusCode).toBe(200);
    expect(code(await register(api, await makeToken(api, 'two'), keys))).toBe('key_taken');
    expect(code(await register(api, await makeToken(api, 'one'), makeKeys()))).toBe('name_taken');
  });

  it('gives every node its own subnet when many come at once, and says when none is left', async () => {
    const tokens = await Promise.all(Array.from({ length: 16 }, (_, index) => makeToken(api, `node-${index}`)));
    const answers = await Promise.all(tokens.map((token) => register(api, token, makeKeys())));
    const subnets = answers.flatMap((answer) =>
      answer.statusCode === 200 ? [answer.json<{ subnet: number }>().subnet] : [],
    );
    expect(subnets.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    const refused = answers.filter(({ statusCode }) => statusCode !== 200);
    expect(refused.map((answer) => [answer.statusCode, code(answer)])).toEqual([[503, 'subnets_exhausted']]);
  });

  it('P64: stores the token hashed', async () => {
    const token = await makeToken(api, 'one');
    const rows = await api.database.db.registrationToken.findMany();
    expect(rows[0]?.tokenHash).toBe(hashToken(token));
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('frees name and subnet of a removed node, refuses its agent, and lets it come back under a new token', async () => {
    const keys = makeKeys();
    const first = (await register(api, await makeToken(api, 'one'), keys)).json<{ nodeId: string }>();
    const agent = agentOf(api, first.nodeId, keys);
    const { headers } = await bearer(api);
    const url = `/api/v1/nodes/${first.nodeId}`;
    expect((await api.fastify.inject({ method: 'DELETE', url, headers })).statusCode).toBe(200);
    expect((await api.fastify.inject({ method: 'DELETE', url, headers })).statusCode).toBe(404);
    const refused = await agent.call('GET', '/expected-state');
    expect([refused.statusCode, code(refused)]).toEqual([403, 'node_removed']);
    const other = (await register(api, await makeToken(api, 'one'), makeKeys())).json<{ subnet: number }>();
    expect(other.subnet).toBe(1);
    const back = await register(api, await makeToken(api, 'again'), keys);
    expect(back.json()).toMatchObject({ nodeId: first.nodeId, name: 'again', subnet: 2 });
    expect((await agent.call('GET', '/expected-state')).statusCode).toBe(200);
  });
});
