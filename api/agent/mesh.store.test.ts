import { describe, expect, it } from 'vitest';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import type { StatusReport } from '../../core/contract/status.ts';
import { transaction } from '../../prisma/client.ts';
import { removeNode } from '../../prisma/store/registration.ts';
import { openTestAgent, useTestApi, type TestAgent } from '../../test/store/api.ts';

const api = useTestApi({ config: { publicUrl: 'https://landfall.example.com' } });
let sequence = 0;

const resources = {
  ...{ cpuMillis: 2_000, memoryBytes: 4e9, memoryFreeBytes: 2e9, diskBytes: 9e9, diskFreeBytes: 5e9 },
  ...{ load1: 0.5, architecture: 'x64', kernel: '6.1', engineVersion: '4.3.1' },
};

/** A report from this address of the world, by a node that sees its own end of the connection at `own`. */
async function report(agent: TestAgent, from: { own: string; seen: string; endpoint?: string }): Promise<void> {
  const body: StatusReport = {
    ...{ epoch: 'e1', sequence: ++sequence, agentVersion: 'test', phase: 'idle', generation: 0, converged: true },
    ...{ containers: [], actions: [], digests: { dns: null, routes: null, peers: null }, resources },
    ...{ publicAddress: from.own, capabilities: [], buildSlots: 1 },
    wireguard: { listenPort: 51_820, endpoint: from.endpoint ?? null },
  };
  const answer = await agent.call('POST', '/status', { body, headers: { 'x-forwarded-for': from.seen } });
  expect(answer.statusCode).toBe(200);
}

const state = async (agent: TestAgent): Promise<ExpectedState> =>
  (await agent.call('GET', '/expected-state')).json<ExpectedState>();
const endpoints = async (agent: TestAgent): Promise<Record<string, string | null>> =>
  Object.fromEntries(((await state(agent)).mesh?.peers ?? []).map(({ name, endpoint }) => [name, endpoint]));
const generation = async ({ nodeId: id }: TestAgent): Promise<number> =>
  (await api.database.db.node.findUniqueOrThrow({ where: { id } })).generation;

describe('the private network in the expected state', () => {
  it('is told to every node when one comes, moves, and goes', async () => {
    const one = await openTestAgent(api, 'one');
    await report(one, { own: '198.51.100.1', seen: '198.51.100.1' });
    expect((await state(one)).mesh).toBeNull();

    const two = await openTestAgent(api, 'two');
    const before = await generation(one);
    await report(two, { own: '198.51.100.2', seen: '198.51.100.2' });
    expect(await generation(one)).toBeGreaterThan(before);
    expect(await endpoints(one)).toEqual({ two: '198.51.100.2:51820' });
    const { mesh } = await state(two);
    expect(mesh).toMatchObject({ address: '10.100.2.1/24', listenPort: 51_820 });
    expect(mesh?.peers).toMatchObject([
      { name: 'one', publicKey: one.keys.wireguard, allowedIps: ['10.100.1.0/24', '10.200.1.0/24'] },
    ]);

    const still = await generation(one);
    await report(two, { own: '198.51.100.2', seen: '198.51.100.2' });
    expect(await generation(one)).toBe(still);
    await report(two, { own: '198.51.100.9', seen: '198.51.100.9' });
    expect(await endpoints(one)).toEqual({ two: '198.51.100.9:51820' });

    const home = await openTestAgent(api, 'home');
    await report(home, { own: '192.168.1.7', seen: '203.0.113.4' });
    expect(await endpoints(one)).toEqual({ home: null, two: '198.51.100.9:51820' });
    expect((await state(home)).mesh?.peers).toMatchObject([{ keepaliveSeconds: 25 }, { keepaliveSeconds: 25 }]);
    await report(home, { own: '192.168.1.7', seen: '203.0.113.4', endpoint: 'home.example.org:4000' });
    expect(await endpoints(one)).toEqual({ home: 'home.example.org:4000', two: '198.51.100.9:51820' });

    await transaction(api.database, (tx) => removeNode(tx, two.nodeId, api.clock.now));
    expect(await endpoints(one)).toEqual({ home: 'home.example.org:4000' });

    const local = await openTestAgent(api, 'local');
    await report(local, { own: '127.0.0.1', seen: '127.0.0.1' });
    expect(await endpoints(one)).toEqual({ home: 'home.example.org:4000', local: 'landfall.example.com:51820' });
  });

  it('does not hear of an agent that has no part in it', async () => {
    const old = await openTestAgent(api, 'old');
    const body = {
      ...{ epoch: 'e1', sequence: ++sequence, agentVersion: 'test', phase: 'idle', generation: 0, converged: true },
      ...{ containers: [], actions: [], digests: { dns: null, routes: null, peers: null }, resources },
      ...{ publicAddress: '198.51.100.3', capabilities: [], buildSlots: 1 },
    };
    await old.call('POST', '/status', { body });
    expect((await state(old)).mesh).toBeNull();
  });
});
