import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { registryContext, secretsContext } from '../../core/contract/sealing.ts';
import { encrypt } from '../../platform/crypto/envelope.ts';
import { importPrivateKey } from '../../platform/crypto/keys.ts';
import { open } from '../../platform/crypto/sealing.ts';
import { nodeTopic } from '../../platform/wake/topics.ts';
import type { Release } from '../../prisma/client.ts';
import { bumpNodes } from '../../prisma/store/nodes.ts';
import { openTestAgent, openTestApi, useTestApi, type TestAgent } from '../../test/store/api.ts';
import {
  makeAllocation,
  makeBuild,
  makeRelease,
  makeWorld,
  offerWork,
  spec,
  type World,
} from '../../test/store/rows.ts';

const api = useTestApi();
let port: number;
let world: World;
let release: Release;
let one: TestAgent;
let names = 0;

beforeAll(async () => {
  await api.fastify.listen({ port: 0, host: '127.0.0.1' });
  port = (api.fastify.server.address() as AddressInfo).port;
});

beforeEach(async () => {
  one = await openTestAgent(api, `node-${++names}`);
  world = await makeWorld(api.database.db);
  release = await makeRelease(api.database.db, world.service.id);
});

const path = '/expected-state';

async function place(agent: TestAgent, of = release) {
  const node = await api.database.db.node.findUniqueOrThrow({ where: { id: agent.nodeId } });
  const allocation = await makeAllocation(
    api.database.db,
    { nodeId: agent.nodeId, release: of },
    { ip: `10.200.${node.subnet}.${2 + (await api.database.db.allocation.count())}` },
  );
  await bumpNodes(api.database.db, [agent.nodeId]);
  return allocation;
}

async function read(agent: TestAgent): Promise<{ state: ExpectedState; etag: string }> {
  const answer = await agent.call('GET', path);
  expect(answer.statusCode).toBe(200);
  return { state: answer.json(), etag: String(answer.headers.etag) };
}

interface Polled {
  status: number;
  ms: number;
}

/** A long poll over a real socket. */
function poll(agent: TestAgent, etag: string, seconds = 20): Promise<Polled> {
  const target = `${path}?wait=${seconds}`;
  const { headers } = agent.signed('GET', target, { headers: { 'if-none-match': etag } });
  const began = performance.now();
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: `/api/v1/agent${target}`, headers, agent: false }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, ms: performance.now() - began }));
    })
      .once('error', reject)
      .end();
  });
}

it('names images as their releases keep them, whatever name a build of the same service gets today', async () => {
  const imageName = '127.0.0.1:7782/landfall/some-owner/an.old_name/web';
  const old = await makeRelease(api.database.db, world.service.id, { imageName });
  await place(one, old);
  const { state } = await read(one);
  expect(state.containers.map(({ image }) => image)).toEqual([`${imageName}@${old.imageDigest}`]);
});

it('P81: names the images of what serves and of the newest releases of services that ran here, and of no others', async () => {
  const { db } = api.database;
  const images: string[] = [];
  const releases = [];
  for (let number = 0; number < 8; number++) {
    const imageDigest = `sha256:${String(number).repeat(64)}`;
    const made = await makeRelease(db, world.service.id, { imageDigest });
    images.push(`${made.imageName}@${imageDigest}`);
    releases.push(made);
  }
  await db.service.update({ where: { id: world.service.id }, data: { servingReleaseId: releases[1]!.id } });
  const before = await read(one);
  expect(before.state.keptImages).toEqual([]);
  const allocation = await place(one, releases[0]);
  await db.allocation.update({ where: { id: allocation.id }, data: { desired: 'stopped', stoppedAt: new Date() } });
  expect((await read(one)).state.keptImages).toEqual([images[1], ...images.slice(3)].sort());
  await db.service.update({ where: { id: world.service.id }, data: { removedAt: new Date() } });
  expect((await read(one)).state.keptImages).toEqual([]);
});

describe('expected state', () => {
  it('holds what this node is to run, and nothing of another (P61)', async () => {
    const two = await openTestAgent(api, `other-${names}`);
    const mine = await place(one);
    await place(two);
    const { state } = await read(one);
    expect(state.containers.map(({ allocationId }) => allocationId)).toEqual([mine.id]);
    expect(state).toMatchObject({ nodeId: one.nodeId, generation: 1, work: [], problems: [] });
    expect(state.containers[0]).toMatchObject({ serviceName: 'web', environment: 'production', env: spec.env });
  });

  it('answers 304 while nothing changed, in another process too, and 200 after a change', async () => {
    await place(one);
    const { etag } = await read(one);
    const known = { headers: { 'if-none-match': etag } };
    expect((await one.call('GET', path, known)).statusCode).toBe(304);
    const other = await openTestApi({ beside: api });
    const { headers } = one.signed('GET', path, known);
    expect((await other.fastify.inject({ url: `/api/v1/agent${path}`, headers })).statusCode).toBe(304);
    await place(one);
    const changed = one.signed('GET', path, known);
    const answer = await other.fastify.inject({ url: `/api/v1/agent${path}`, headers: changed.headers });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers.etag).not.toBe(etag);
    await other.close();
  });

  it('P04: leaves out the service whose row cannot be understood, says so, and goes on', async () => {
    const good = await place(one);
    const other = await makeWorld(api.database.db, 'broken');
    const bad = await makeRelease(api.database.db, other.service.id, { spec: { name: 7 } });
    await place(one, bad);
    const { state } = await read(one);
    expect(state.containers.map(({ allocationId }) => allocationId)).toEqual([good.id]);
    expect(state.problems).toEqual([
      { serviceId: other.service.id, message: expect.stringContaining('cannot be understood') },
    ]);
    const { nodeId } = one;
    const logged = { nodeId, problems: state.problems, msg: 'a node is not told of all that it is to run' };
    expect(api.logged.filter((line) => 'nodeId' in line && line.nodeId === nodeId)).toMatchObject([logged]);
  });

  it('P60: seals secrets and credentials to this node, and only those that it needs', async () => {
    const { db } = api.database;
    await makeSecret('UNUSED', 'canary-unused');
    const secret = await makeRelease(db, world.service.id, { spec: { ...spec, secrets: ['TOKEN'] } });
    await pin(secret, await makeSecret('TOKEN', 'canary-token'));
    expect((await read(one)).state.registries).toEqual([]);
    await place(one, secret);
    const { state } = await read(one);
    expect(JSON.stringify(state)).not.toMatch(/canary/);
    const key = importPrivateKey('X25519', one.keys.sealing);
    const sealed = state.containers[0]?.sealedSecrets ?? '';
    expect(JSON.parse(open(key, sealed, secretsContext(world.service.id)).toString())).toEqual({
      TOKEN: 'canary-token',
    });
    const [registry] = state.registries;
    const credentials = open(key, registry?.sealedCredentials ?? '', registryContext('127.0.0.1:7782'));
    expect(JSON.parse(credentials.toString())).toMatchObject({ username: 'landfall' });
    const two = await openTestAgent(api, `stranger-${names}`);
    expect(() =>
      open(importPrivateKey('X25519', two.keys.sealing), sealed, secretsContext(world.service.id)),
    ).toThrow();
  });

  it('P15: gives each release the versions that it was made with; another version is another spec digest', async () => {
    const { db } = api.database;
    const releases = [];
    for (const version of [1, 2]) {
      const made = await makeRelease(db, world.service.id, { spec: { ...spec, secrets: ['TOKEN'] } });
      await pin(made, await makeSecret('TOKEN', `value ${version}`, version));
      releases.push(made);
    }
    for (const made of releases) await place(one, made);
    const { containers } = (await read(one)).state;
    const key = importPrivateKey('X25519', one.keys.sealing);
    const opened = containers.map(({ releaseId, sealedSecrets }) => [
      releaseId,
      JSON.parse(open(key, sealedSecrets ?? '', secretsContext(world.service.id)).toString()) as unknown,
    ]);
    expect(Object.fromEntries(opened)).toEqual({
      [releases[0]!.id]: { TOKEN: 'value 1' },
      [releases[1]!.id]: { TOKEN: 'value 2' },
    });
    const digests = (await read(one)).state.containers.map(({ specDigest }) => specDigest);
    expect(new Set(digests).size).toBe(2);
  });

  it('P04: leaves out a service whose secrets are missing or do not open', async () => {
    const { db } = api.database;
    const missing = await makeRelease(db, world.service.id, { spec: { ...spec, secrets: ['NOBODY_SET'] } });
    await place(one, missing);
    expect((await read(one)).state.problems[0]?.message).toContain('NOBODY_SET');
    const id = await makeSecret('NOBODY_SET', 'x');
    await pin(missing, id);
    await db.secret.update({ where: { id }, data: { valueSealed: new Uint8Array(60) } });
    await bumpNodes(db, [one.nodeId]);
    expect((await read(one)).state.problems[0]?.message).toBe(
      'web: its secrets are encrypted under a master key that is not here: NOBODY_SET.',
    );
  });

  async function makeSecret(name: string, value: string, version = 1): Promise<string> {
    const id = randomUUID();
    const valueSealed = encrypt(api.deps.masterKeys, Buffer.from(value), {
      table: 'Secret',
      column: 'valueSealed',
      id,
    });
    await api.database.db.secret.create({
      data: { id, environmentId: world.environmentId, name, version, valueSealed },
    });
    return id;
  }

  async function pin({ id: releaseId }: Release, secretId: string): Promise<void> {
    const { name } = await api.database.db.secret.findUniqueOrThrow({ where: { id: secretId } });
    await api.database.db.releaseSecret.create({ data: { releaseId, secretId, name } });
  }

  it('offers work', async () => {
    const work = await offerWork(api.database.db, await makeBuild(api.database.db, world.projectId), one.nodeId);
    const { state } = await read(one);
    expect(state.work).toEqual([{ workId: work.id, kind: 'build', attempt: 1, status: 'offered', cancel: null }]);
  });
});

describe('long poll', () => {
  it('is woken by a change at once', async () => {
    const { etag } = await read(one);
    const polling = poll(one, etag);
    await listening();
    const began = performance.now();
    await place(one);
    expect((await polling).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it('P09: answers at once when the change came before it began to wait', async () => {
    const { etag } = await read(one);
    await place(one);
    const { status, ms } = await poll(one, etag);
    expect(status).toBe(200);
    expect(ms).toBeLessThan(3_000);
  });

  it('P09: misses no change, however close it comes to the beginning of the wait', async () => {
    for (let round = 0; round < 10; round++) {
      const { etag } = await read(one);
      const [polled] = await Promise.all([poll(one, etag), place(one)]);
      expect(polled.status).toBe(200);
      expect(polled.ms).toBeLessThan(5_000);
    }
  });

  it('ends with 304 at its time, and leaves no subscription behind', async () => {
    const { etag } = await read(one);
    const { status, ms } = await poll(one, etag, 1);
    expect(status).toBe(304);
    expect(ms).toBeGreaterThan(900);
    expect(api.listening.size).toBe(0);
  });

  it('is not woken by what happens to another node', async () => {
    const two = await openTestAgent(api, `quiet-${names}`);
    const { etag } = await read(one);
    const polling = poll(one, etag, 1);
    await place(two);
    expect((await polling).status).toBe(304);
  });

  it('is refused when the node is removed meanwhile', async () => {
    const { etag } = await read(one);
    const polling = poll(one, etag);
    await listening();
    await api.database.db.node.update({ where: { id: one.nodeId }, data: { removedAt: new Date() } });
    await bumpNodes(api.database.db, [one.nodeId]);
    expect((await polling).status).toBe(403);
  });

  it('ends when the API stops', async () => {
    const other = await openTestApi({ beside: api });
    const { etag } = await read(one);
    const target = `${path}?wait=30`;
    const { headers } = one.signed('GET', target, { headers: { 'if-none-match': etag } });
    const polling = other.fastify.inject({ url: `/api/v1/agent${target}`, headers });
    await listening(other);
    other.api.stop();
    expect((await polling).statusCode).toBe(304);
    await other.close();
  });
});

/** Until the request that was just sent waits on its topic. */
async function listening({ listening: topics } = api): Promise<void> {
  await expect.poll(() => [...topics.values()]).toContain(nodeTopic(one.nodeId));
}
