import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { IntentDetail } from '../../core/contract/resources/intents.ts';
import type { LogPage } from '../../core/contract/resources/log-pages.ts';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { hashToken } from '../../platform/crypto/hash.ts';
import { notify } from '../../platform/wake/notify.ts';
import { logTopic } from '../../platform/wake/topics.ts';
import type { Allocation, Build, Rollout } from '../../prisma/client.ts';
import { revokeAccessToken } from '../../prisma/store/access-tokens.ts';
import { appendLog, readLogTail } from '../../prisma/store/logs.ts';
import { bearer, useBearer, useTestAgent, useTestApi } from '../../test/store/api.ts';
import {
  makeAllocation,
  makeBuild,
  makeRelease,
  makeRollout,
  makeWorld,
  offerWork,
  sha,
  spec,
  type World,
} from '../../test/store/rows.ts';

const api = useTestApi();
const headers = useBearer(api, 'ada');
const node = useTestAgent(api, 'one');
let world: World;
let build: Build;
let rollout: Rollout;
let allocation: Allocation;
let intentId: string;

beforeAll(async () => {
  const { db } = api.database;
  world = await makeWorld(db);
  const intent = await db.intent.create({
    data: {
      ...{ environmentId: world.environmentId, sha, ref: 'refs/heads/main', trigger: 'push', actor: 'ada' },
      ...{ config: {}, requestedAt: new Date() },
    },
  });
  intentId = intent.id;
  build = await makeBuild(db, world.projectId);
  await offerWork(db, build, node.nodeId);
  await db.intentBuild.create({ data: { intentId, buildId: build.id, service: 'web' } });
  const release = await makeRelease(db, world.service.id);
  await db.service.update({ where: { id: world.service.id }, data: { servingReleaseId: release.id } });
  rollout = await makeRollout(db, release, { intentId, stage: 'starting' });
  allocation = await makeAllocation(
    db,
    { nodeId: node.nodeId, release, rolloutId: rollout.id },
    { observed: 'running', health: 'healthy' },
  );
  await db.rolloutEvent.create({
    data: {
      rolloutId: rollout.id,
      at: new Date(),
      fromStage: 'pending',
      toStage: 'pulling',
      reasonCode: 'placed',
      message: 'Placed.',
    },
  });
});

const call = (url: string, method: 'GET' | 'POST' | 'DELETE' = 'GET', payload?: object) =>
  api.fastify.inject({ method, url: `/api/v1${url}`, headers, ...(payload === undefined ? {} : { payload }) });

interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  operationId: string;
}

/** A body that each operation takes, of those that need one. */
const bodies: Record<string, object> = { addNode: { name: 'some-node', kind: 'worker' }, setSecret: { value: 'x' } };

const urlOf = ({ path }: Operation, id: string): string =>
  path.replace('{id}', encodeURIComponent(id)).replace('{name}', 'SOME_NAME');

const payloadOf = ({ operationId }: Operation): { payload?: object } => {
  const payload = bodies[operationId];
  return payload === undefined ? {} : { payload };
};

/** Every operation for people and programs, out of the document that the server serves. */
async function operations(): Promise<Operation[]> {
  const document = (await api.fastify.inject('/api/v1/openapi.json')).json<{
    paths: Record<string, Record<string, { security?: object[]; operationId: string }>>;
  }>();
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => JSON.stringify(security ?? []).includes('accessToken'))
      .map(([method, { operationId }]) => ({ method: method.toUpperCase() as Operation['method'], path, operationId })),
  );
}

describe('access', () => {
  it('is refused on every route without a token, with an unknown and with a revoked one', async () => {
    const revoked = await bearer(api);
    await revokeAccessToken(api.database.db, revoked.id, new Date());
    const all = await operations();
    expect(all.length).toBeGreaterThan(15);
    for (const operation of all) {
      const { method, path } = operation;
      const url = urlOf(operation, randomUUID());
      for (const [authorization, code] of [
        [undefined, 'unauthenticated'],
        ['Basic YTpi', 'unauthenticated'],
        ['Bearer lf_unknown', 'access_token_unknown'],
        [revoked.headers.authorization, 'access_token_unknown'],
      ]) {
        const answer = await api.fastify.inject({
          method,
          url,
          headers: authorization === undefined ? {} : { authorization },
        });
        expect([path, answer.statusCode, answer.json<{ error: { code: string } }>().error.code]).toEqual([
          path,
          401,
          code,
        ]);
      }
    }
  });

  it("P67: answers not_found for ids that are nobody's, of something else, or none at all", async () => {
    const withId = (await operations()).filter(({ path }) => path.includes('{id}'));
    expect(withId.length).toBeGreaterThan(7);
    for (const operation of withId)
      for (const id of [randomUUID(), world.projectId, '1', "x' OR '1'='1", '..'])
        expect(
          (
            await api.fastify.inject({
              method: operation.method,
              url: urlOf(operation, id),
              headers,
              ...payloadOf(operation),
            })
          ).statusCode,
          operation.operationId,
        ).toBe(404);
  });

  it('P64: keeps tokens hashed', async () => {
    const token = headers.authorization.slice('Bearer '.length);
    const rows = await api.database.db.accessToken.findMany();
    expect(rows.map(({ tokenHash }) => tokenHash)).toContain(hashToken(token));
    expect(JSON.stringify(rows)).not.toContain(token);
  });
});

describe('resources', () => {
  it('show projects with what serves', async () => {
    const { projects } = (await call('/projects')).json<{ projects: ProjectResource[] }>();
    expect(projects[0]?.environments[0]?.services[0]).toMatchObject({
      name: 'web',
      serving: { number: 1, sha },
      replicas: { wanted: 1, healthy: 1 },
      rollout: { id: rollout.id, stage: 'starting' },
    });
    expect((await call(`/services/${world.service.id}`)).json()).toMatchObject({ name: 'web' });
  });

  it('show an intent with its builds and rollouts, timeline and reasons', async () => {
    const detail = (await call(`/intents/${intentId}`)).json<IntentDetail>();
    expect(detail.builds.map(({ id, nodeName }) => [id, nodeName])).toEqual([[build.id, 'one']]);
    expect(detail.rollouts[0]?.timeline).toMatchObject([
      { toStage: 'pulling', reasonCode: 'placed', message: 'Placed.' },
    ]);
    expect(detail.rollouts[0]?.allocations).toMatchObject([
      { id: allocation.id, nodeName: 'one', port: 8080, placement: ['It has the most room.'], health: 'healthy' },
    ]);
    expect(detail.url).toContain(`/intents/${intentId}?key=`);
    for (const [path, list] of [
      ['/intents', 'intents'],
      ['/builds', 'builds'],
      ['/rollouts', 'rollouts'],
      [`/rollouts?serviceId=${world.service.id}`, 'rollouts'],
      ['/allocations', 'allocations'],
      [`/allocations?nodeId=${node.nodeId}`, 'allocations'],
    ] as const)
      expect((await call(path)).json<Record<string, unknown[]>>()[list], path).toHaveLength(1);
    expect((await call(`/rollouts/${rollout.id}`)).json()).toMatchObject({ id: rollout.id, serviceName: 'web' });
    expect((await call(`/builds/${build.id}`)).json()).toMatchObject({ id: build.id, repository: expect.any(String) });
    expect((await call(`/intents?before=${intentId}`)).json()).toEqual({ intents: [] });
    expect((await call('/intents?limit=0')).statusCode).toBe(400);
  });

  it('make a token for a new node and show the nodes', async () => {
    const added = await call('/nodes', 'POST', { name: 'two', kind: 'proxy' });
    expect(added.json()).toMatchObject({ name: 'two', kind: 'proxy', token: expect.stringMatching(/^lfr_/) });
    expect((await call('/nodes', 'POST', { name: 'one', kind: 'worker' })).json()).toMatchObject({
      error: { code: 'name_taken' },
    });
    expect((await call('/nodes', 'POST', { name: 'No Name', kind: 'worker' })).json()).toMatchObject({
      error: { code: 'invalid_request', hint: expect.stringContaining('body/name') },
    });
    const { nodes } = (await call('/nodes')).json<{ nodes: { name: string; state: string }[] }>();
    expect(nodes.map(({ name, state }) => [name, state])).toEqual([['one', 'silent']]);
    expect((await call(`/nodes/${node.nodeId}`)).json()).toMatchObject({
      node: { name: 'one' },
      allocations: [{ id: allocation.id }],
    });
    const { events } = (await call('/audit-events?limit=2')).json<{ events: { action: string; actor: string }[] }>();
    expect(events[0]).toMatchObject({ action: 'node.token_made', actor: 'ada' });
  });

  it('P04: say what a node is not told of and why, of the node and of the service, and what the node cannot do', async () => {
    const { db } = api.database;
    const at = (ms: number) => new Date(api.clock.now.getTime() + ms).toISOString();
    const failure = { kind: 'update_peers', subject: 'peers', message: 'no device', at: at(0), retryAt: at(5_000) };
    const old = { ...failure, kind: 'update_dns', at: at(-3_600_000), retryAt: null };
    await db.node.update({ where: { id: node.nodeId }, data: { failures: [failure, old] } });
    await db.release.update({ where: { id: allocation.releaseId }, data: { spec: { ...spec, secrets: ['TOKEN'] } } });
    const { subnet } = await db.node.findUniqueOrThrow({ where: { id: node.nodeId } });
    await db.allocation.update({ where: { id: allocation.id }, data: { ip: `10.200.${subnet}.9` } });
    const leftOut = {
      ...{ allocationId: allocation.id, serviceId: world.service.id, serviceName: 'web', replica: 0 },
      ...{ nodeId: node.nodeId, nodeName: 'one', code: 'secret_missing', message: 'its secrets are missing: TOKEN.' },
      todo: 'Set it with landfall secret set, and run the check again.',
    };
    expect((await call('/nodes')).json()).toMatchObject({ nodes: [{ failures: [failure], leftOut: [leftOut] }] });
    expect((await call(`/nodes/${node.nodeId}`)).json()).toMatchObject({ node: { leftOut: [leftOut] } });
    const { projects } = (await call('/projects')).json<{ projects: ProjectResource[] }>();
    expect(projects[0]?.environments[0]?.services).toMatchObject([{ name: 'web', leftOut: [leftOut] }]);
    expect((await call(`/services/${world.service.id}`)).json()).toMatchObject({ leftOut: [leftOut] });
    await db.release.update({ where: { id: allocation.releaseId }, data: { spec } });
    await db.node.update({ where: { id: node.nodeId }, data: { failures: 'broken' } });
    expect((await call('/nodes')).json()).toMatchObject({ nodes: [{ failures: [], leftOut: [] }] });
  });

  it('cordon a node, and take it back: it says so, and what waits for room looks again', async () => {
    api.jobs.length = 0;
    const cordoned = await call(`/nodes/${node.nodeId}/cordon`, 'POST');
    expect(cordoned.json()).toMatchObject({ name: 'one', state: 'cordoned', allocations: 1 });
    expect((await call(`/nodes/${node.nodeId}/cordon`, 'POST')).statusCode).toBe(200);
    expect(api.jobs).toEqual([]);
    expect((await call(`/nodes/${node.nodeId}/uncordon`, 'POST')).json()).toMatchObject({ state: 'silent' });
    expect(api.jobs.map(({ name }) => name)).toEqual(['sweep']);
    const { events } = (await call('/audit-events?limit=3')).json<{ events: { action: string; actor: string }[] }>();
    expect(events.map(({ action, actor }) => [action, actor])).toEqual([
      ['node.uncordoned', 'ada'],
      ['node.cordoned', 'ada'],
      ['node.cordoned', 'ada'],
    ]);
  });

  it('cancel a build: its offer is taken back, its node and its intents hear of it', async () => {
    api.jobs.length = 0;
    const cancelled = await call(`/builds/${build.id}/cancel`, 'POST');
    expect(cancelled.json()).toMatchObject({ status: 'cancelled', reason: 'ada cancelled it.' });
    expect(api.jobs.map(({ name }) => name)).toEqual(['advanceBuild']);
    expect(await api.database.db.workItem.findFirst({ where: { buildId: build.id } })).toMatchObject({
      status: 'cancelled',
    });
    api.jobs.length = 0;
    expect((await call(`/builds/${build.id}/cancel`, 'POST')).json()).toMatchObject({ status: 'cancelled' });
    expect(api.jobs).toEqual([]);
  });
});

describe('logs', () => {
  async function add(stream: string, ...texts: string[]) {
    const { db } = api.database;
    const { next } = await readLogTail(db, stream, 1);
    const lines = texts.map((text) => ({ at: new Date().toISOString(), text, error: false }));
    await appendLog(db, { stream, attempt: 0, offset: next, lines, end: false, at: new Date() }, 1_000_000);
    await notify(db, [logTopic(stream)]);
  }
  async function endLog(stream: string, offset: number) {
    const { db } = api.database;
    await appendLog(db, { stream, attempt: 1, offset, lines: [], end: true, at: new Date() }, 1_000_000);
    await notify(db, [logTopic(stream)]);
  }
  async function addAt(stream: string, offset: number, texts: string[]) {
    const lines = texts.map((text) => ({ at: new Date().toISOString(), text, error: false }));
    const batch = { stream, attempt: 1, offset, lines, end: false, at: new Date() };
    await appendLog(api.database.db, batch, 1_000_000);
  }
  const page = async (url: string) => (await call(url)).json<LogPage>();
  const texts = ({ lines }: LogPage) => lines.map(({ text }) => text);

  it('of a service name their replica, go on after the cursor, and wait for what comes', async () => {
    const url = `/services/${world.service.id}/logs`;
    const empty = await page(url);
    expect(empty).toMatchObject({ lines: [], ended: false });
    await add(`allocation:${allocation.id}`, 'up');
    const first = await page(`${url}?cursor=${empty.cursor}`);
    expect(first.lines).toMatchObject([{ text: 'up', source: 'release 1, replica 0 on one' }]);
    const waiting = page(`${url}?cursor=${first.cursor}&wait=20`);
    await expect.poll(() => [...api.listening.values()]).toContain(logTopic(`allocation:${allocation.id}`));
    await add(`allocation:${allocation.id}`, 'more');
    expect(texts(await waiting)).toEqual(['more']);
  });

  let fresh: Build;
  beforeEach(async () => {
    fresh = await makeBuild(api.database.db, world.projectId);
  });
  const finishBuild = (change: { finishedAt: Date }) =>
    api.database.db.build.update({
      where: { id: fresh.id },
      data: { ...change, attempt: 1, startedAt: change.finishedAt, status: 'failed' },
    });

  it('of a build end when the log has ended: the last lines come after the end of the build', async () => {
    const stream = `build:${fresh.id}`;
    await add(stream, 'first');
    const { cursor } = await page(`/builds/${fresh.id}/log`);
    await finishBuild({ finishedAt: api.clock.now });
    expect(await page(`/builds/${fresh.id}/log?cursor=${cursor}`)).toMatchObject({ lines: [], ended: false });
    const waiting = page(`/builds/${fresh.id}/log?cursor=${cursor}&wait=20`);
    await expect.poll(() => [...api.listening.values()]).toContain(logTopic(stream));
    await add(stream, 'why it failed');
    const last = await waiting;
    expect([texts(last), last.ended]).toEqual([['why it failed'], false]);
    const ending = page(`/builds/${fresh.id}/log?cursor=${last.cursor}&wait=20`);
    await expect.poll(() => [...api.listening.values()]).toContain(logTopic(stream));
    await endLog(stream, 2);
    expect(await ending).toMatchObject({ lines: [], ended: true });
    expect(await page(`/builds/${fresh.id}/log?limit=1`)).toMatchObject({
      lines: [{ text: 'why it failed' }],
      ended: true,
    });
  });

  it('of a build whose node was lost end some seconds after it', async () => {
    await add(`build:${fresh.id}`, 'cut off');
    const finishedAt = new Date(api.clock.now.getTime() - 60_000);
    await finishBuild({ finishedAt });
    expect(await page(`/builds/${fresh.id}/log`)).toMatchObject({ lines: [{ text: 'cut off' }], ended: true });
  });

  it('of a build are not ended by a page: what follows it is given by the next ones', async () => {
    const stream = `build:${fresh.id}`;
    const { cursor: start } = await page(`/builds/${fresh.id}/log`);
    const all = Array.from({ length: 120 }, (_, index) => `line ${index}`);
    for (let from = 0; from < 120; from += 2) await addAt(stream, from, all.slice(from, from + 2));
    await endLog(stream, 120);
    await finishBuild({ finishedAt: api.clock.now });
    const read: string[] = [];
    let cursor = start;
    for (let ended = false; !ended;) {
      const next = await page(`/builds/${fresh.id}/log?limit=50&cursor=${cursor}`);
      read.push(...texts(next));
      ({ cursor, ended } = next);
    }
    expect(read).toEqual(all);
  });

  it('of a build that never began are over at once', async () => {
    await api.database.db.build.update({ where: { id: fresh.id }, data: { finishedAt: api.clock.now } });
    const read = await page(`/builds/${fresh.id}/log?limit=1`);
    expect([texts(read), read.ended]).toEqual([[], true]);
    expect(await page(`/builds/${fresh.id}/log?cursor=${read.cursor}&wait=30`)).toMatchObject({
      lines: [],
      ended: true,
    });
    expect((await call(`/builds/${fresh.id}/log?cursor=nonsense`)).statusCode).toBe(400);
  });

  it('P72: end a wait within 5 seconds after the token was revoked', async () => {
    const other = await bearer(api);
    const url = `/api/v1/services/${world.service.id}/logs`;
    const { cursor } = (await api.fastify.inject({ url, headers: other.headers })).json<LogPage>();
    const began = performance.now();
    const waiting = api.fastify.inject({ url: `${url}?cursor=${cursor}&wait=30`, headers: other.headers });
    await revokeAccessToken(api.database.db, other.id, new Date());
    expect((await waiting).statusCode).toBe(401);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('health', () => {
  it('is ready while database and queue answer, and says which does not', async () => {
    expect((await api.fastify.inject('/healthz')).json()).toEqual({ ok: true });
    expect((await api.fastify.inject('/readyz')).json()).toEqual({ ok: true });
    await api.database.db.$executeRaw`ALTER TABLE "AccessToken" RENAME TO "AccessTokenAway"`;
    const answer = await api.fastify.inject('/readyz');
    expect([answer.statusCode, answer.json()]).toMatchObject([
      503,
      { error: { message: 'The database cannot be used: 42P01.' } },
    ]);
    await api.database.db.$executeRaw`ALTER TABLE "AccessTokenAway" RENAME TO "AccessToken"`;
  });
});
