import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SecretList, SecretSet } from '../../core/contract/resources/secrets.ts';
import { defaultBuild } from '../../core/spec/defaults.ts';
import { resolveSecrets } from '../../core/secret/versions.ts';
import { decrypt } from '../../platform/crypto/envelope.ts';
import type { Release } from '../../prisma/client.ts';
import { secretsInForce } from '../../prisma/store/secrets.ts';
import { useBearer, useTestApi } from '../../test/store/api.ts';
import { makeRelease, makeRollout, makeWorld, sha, spec, type World } from '../../test/store/rows.ts';

const canary = 'canary-4c1d9e0b7a';

const api = useTestApi();
const headers = useBearer(api, 'ada');
let world: World;

beforeEach(async () => {
  world = await makeWorld(api.database.db);
  api.jobs.length = 0;
});

type Method = 'GET' | 'PUT' | 'DELETE';

const call = (method: Method, path: string, body?: object | string, environmentId = world.environmentId) =>
  api.fastify.inject({
    method,
    url: `/api/v1/environments/${environmentId}/secrets${path}`,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { payload: body }),
  });

async function set(name: string, value: string, query = ''): Promise<SecretSet> {
  const answer = await call('PUT', `/${name}${query}`, { value });
  expect([answer.statusCode, answer.body]).toEqual([200, expect.anything()]);
  return answer.json();
}

const list = async (): Promise<SecretList> => (await call('GET', '')).json();
const code = (answer: { body: string }): string => (JSON.parse(answer.body) as { error: { code: string } }).error.code;

/** A commit whose configuration names these secrets for `web` was brought to the environment. */
async function configure(...secrets: string[]): Promise<void> {
  const config = { web: { service: { ...spec, secrets }, build: defaultBuild } };
  const { environmentId } = world;
  await api.database.db.intent.create({
    data: {
      environmentId,
      sha,
      ref: 'refs/heads/main',
      trigger: 'push',
      actor: 'ada',
      config,
      requestedAt: new Date(),
    },
  });
}

/** `web` serves a release that names these secrets, made with what is in force. */
async function serve(...secrets: string[]): Promise<Release> {
  const { db } = api.database;
  await configure(...secrets);
  const release = await makeRelease(db, world.service.id, { spec: { ...spec, secrets } });
  const { pins } = resolveSecrets({ service: 'web', secrets }, await secretsInForce(db, world.environmentId));
  await db.releaseSecret.createMany({ data: pins.map((pin) => ({ ...pin, releaseId: release.id })) });
  await makeRollout(db, release, { stage: 'running', finishedAt: new Date() });
  await db.service.update({ where: { id: world.service.id }, data: { servingReleaseId: release.id, generation: 1 } });
  return release;
}

async function pinnedValues(releaseId: string): Promise<Record<string, string>> {
  const pins = await api.database.db.releaseSecret.findMany({ where: { releaseId }, include: { secret: true } });
  return Object.fromEntries(
    pins.map(({ name, secret: { id, valueSealed } }) => [
      name,
      decrypt(api.deps.masterKeys, valueSealed, { table: 'Secret', column: 'valueSealed', id }).toString(),
    ]),
  );
}

const newest = () =>
  api.database.db.rollout.findFirstOrThrow({
    where: { serviceId: world.service.id },
    orderBy: { generation: 'desc' },
    include: { release: true, events: true },
  });

describe('setting a secret', () => {
  it('P64: keeps the value encrypted and bound to its row, and answers without it', async () => {
    const answer = await call('PUT', '/TOKEN', { value: canary });
    expect(answer.json()).toMatchObject({
      secret: { name: 'TOKEN', service: null, version: 1, setBy: 'ada', usedBy: [] },
      rollouts: [],
    });
    expect(answer.body).not.toContain(canary);
    const row = await api.database.db.secret.findFirstOrThrow({ where: { environmentId: world.environmentId } });
    expect(Buffer.from(row.valueSealed).includes(canary)).toBe(false);
    const place = { table: 'Secret', column: 'valueSealed', id: row.id };
    expect(decrypt(api.deps.masterKeys, row.valueSealed, place).toString()).toBe(canary);
    expect(() => decrypt(api.deps.masterKeys, row.valueSealed, { ...place, id: randomUUID() })).toThrow();
  });

  it('rolls it out to a service that runs with it, as the same image and spec in a new release', async () => {
    await set('TOKEN', 'old');
    const old = await serve('TOKEN');
    const { secret, rollouts } = await set('TOKEN', 'new');
    const rollout = await newest();
    expect(rollouts).toEqual([{ id: rollout.id, service: 'web' }]);
    expect(rollout).toMatchObject({ stage: 'pending', intentId: null, previousReleaseId: old.id, generation: 2 });
    const { imageDigest, imageName, specDigest, buildId } = old;
    expect(rollout.release).toMatchObject({
      sha,
      imageDigest,
      imageName,
      specDigest,
      buildId,
      spec: old.spec,
      number: 2,
    });
    expect(rollout.events).toMatchObject([{ reasonCode: 'secret_set', message: 'TOKEN was set (version 2).' }]);
    expect(await pinnedValues(rollout.releaseId)).toEqual({ TOKEN: 'new' });
    expect(await pinnedValues(old.id)).toEqual({ TOKEN: 'old' });
    expect(api.jobs).toEqual([
      { name: 'advanceRollout', payload: { rolloutId: rollout.id, version: rollout.factsVersion } },
    ]);
    expect(secret.usedBy).toEqual([{ service: 'web', version: 2 }]);
  });

  it('leaves alone the services that do not name it, or have a value of their own', async () => {
    await set('TOKEN', 'own', '?service=web');
    await serve('TOKEN');
    expect((await set('TOKEN', 'of all')).rollouts).toEqual([]);
    expect((await set('OTHER', 'x')).rollouts).toEqual([]);
    expect((await set('TOKEN', 'own again', '?service=web')).rollouts).toHaveLength(1);
    expect(await pinnedValues((await newest()).releaseId)).toEqual({ TOKEN: 'own again' });
  });

  it('takes the place of a rollout under way, for the same intent while that goes on', async () => {
    await set('TOKEN', 'old');
    await serve('TOKEN');
    const { environmentId } = world;
    const intent = await api.database.db.intent.create({
      data: { environmentId, sha, ref: 'main', trigger: 'push', actor: 'ada', config: {}, requestedAt: new Date() },
    });
    const coming = await makeRelease(api.database.db, world.service.id, {
      spec: { ...spec, secrets: ['TOKEN'] },
      sha: 'b'.repeat(40),
    });
    await makeRollout(api.database.db, coming, { stage: 'starting', intentId: intent.id });
    await api.database.db.service.update({ where: { id: world.service.id }, data: { generation: 2 } });
    await set('TOKEN', 'new');
    const rollout = await newest();
    expect(rollout).toMatchObject({ intentId: intent.id, generation: 3, release: { sha: 'b'.repeat(40) } });
    expect(api.jobs).toHaveLength(2);
    await api.database.db.intent.update({ where: { id: intent.id }, data: { status: 'failed' } });
    await set('TOKEN', 'newer');
    expect(await newest()).toMatchObject({ intentId: null, generation: 4 });
  });

  it('P64: values that no release was made with do not stay', async () => {
    await set('TOKEN', 'one');
    await set('TOKEN', 'two');
    await serve('TOKEN');
    await set('TOKEN', 'three');
    await set('UNUSED', 'one');
    await set('UNUSED', 'two');
    const rows = await api.database.db.secret.findMany({
      where: { environmentId: world.environmentId },
      orderBy: [{ name: 'asc' }, { version: 'asc' }],
    });
    expect(rows.map(({ name, version }) => [name, version])).toEqual([
      ['TOKEN', 2],
      ['TOKEN', 3],
      ['UNUSED', 2],
    ]);
  });

  it('gives every one of many that are set at once a version of its own', async () => {
    await set('TOKEN', 'first');
    await serve('TOKEN');
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((value) => set('TOKEN', value)));
    expect(answers.map(({ secret }) => secret.version).sort()).toEqual([2, 3, 4, 5]);
    const last = answers.find(({ secret }) => secret.version === 5);
    expect(last?.rollouts.map(({ id }) => id)).toEqual([(await newest()).id]);
  });

  it.each([
    ['an empty value', '/TOKEN', { value: '' }, 'invalid_request'],
    ['no value', '/TOKEN', {}, 'invalid_request'],
    ['a number', '/TOKEN', { value: 7 }, 'invalid_request'],
    ['more beside it', '/TOKEN', { value: canary, name: 'OTHER' }, 'invalid_request'],
    ['a NUL', '/TOKEN', { value: `${canary}\0` }, 'secret_not_text'],
    ['more than 64 KiB', '/TOKEN', { value: canary.padEnd(65_537, 'x') }, 'secret_too_large'],
    ['more than 64 KiB of UTF-8', '/TOKEN', { value: 'é'.repeat(40_000) }, 'secret_too_large'],
    ['a name with a dash', '/TO-KEN', { value: canary }, 'invalid_request'],
    ['a name that begins with a digit', '/1TOKEN', { value: canary }, 'invalid_request'],
    ['a service that there is not', '/TOKEN?service=wbe', { value: canary }, 'not_found'],
    ['broken JSON', '/TOKEN', `{"value": "${canary}`, 'invalid_request'],
  ])('P65: refuses %s, and says nothing of the value', async (_what, path, body, expected) => {
    const answer = await call('PUT', path, body);
    expect(code(answer)).toBe(expected);
    expect(answer.body).not.toContain(canary);
    expect((await list()).secrets).toEqual([]);
  });

  it('takes 64 KiB, and lines', async () => {
    await set('LARGE', 'x'.repeat(65_536));
    await set('LINES', '-----BEGIN-----\nabc\n');
  });
});

describe('listing secrets', () => {
  it('P65: shows names, versions and who uses them, and what is missing, but no value', async () => {
    await set('TOKEN', canary);
    await set('UNUSED', canary, '?service=web');
    await serve('TOKEN', 'MISSING');
    const answer = await call('GET', '');
    expect(answer.body).not.toContain(canary);
    expect(answer.json()).toEqual({
      secrets: [
        {
          ...{ name: 'TOKEN', service: null, version: 1, setBy: 'ada', setAt: expect.any(String) as string },
          usedBy: [{ service: 'web', version: 1 }],
        },
        {
          ...{ name: 'UNUSED', service: 'web', version: 1, setBy: 'ada', setAt: expect.any(String) as string },
          usedBy: [],
        },
      ],
      missing: [{ service: 'web', name: 'MISSING' }],
    });
  });

  it('P67: shows nothing of another environment, and knows none that is not there', async () => {
    await set('TOKEN', 'x');
    const other = await makeWorld(api.database.db);
    expect((await call('GET', '', undefined, other.environmentId)).json()).toEqual({ secrets: [], missing: [] });
    for (const id of [randomUUID(), world.service.id, 'x'])
      for (const [method, path, body] of [
        ['GET', ''],
        ['PUT', '/TOKEN', { value: 'y' }],
        ['DELETE', '/TOKEN'],
      ] as const)
        expect(code(await call(method, path, body, id))).toBe('not_found');
    expect(code(await call('DELETE', '/TOKEN', undefined, other.environmentId))).toBe('not_found');
    expect((await list()).secrets).toMatchObject([{ version: 1 }]);
  });

  it('needs an access token', async () => {
    const url = `/api/v1/environments/${world.environmentId}/secrets`;
    expect((await api.fastify.inject({ method: 'GET', url })).statusCode).toBe(401);
    expect((await api.fastify.inject({ method: 'PUT', url: `${url}/A`, payload: { value: 'x' } })).statusCode).toBe(
      401,
    );
  });
});

describe('removing a secret', () => {
  it('is refused while a service that runs needs it', async () => {
    await set('TOKEN', 'x');
    await serve('TOKEN');
    const answer = await call('DELETE', '/TOKEN');
    expect(code(answer)).toBe('secret_in_use');
    expect(answer.body).toContain('web of production still needs TOKEN');
    expect((await list()).secrets).toHaveLength(1);
  });

  it('takes it out once the configuration names it no more; the release that runs keeps its value', async () => {
    await set('TOKEN', 'x');
    const release = await serve('TOKEN');
    await configure();
    expect((await call('DELETE', '/TOKEN')).json()).toEqual({ rollouts: [] });
    expect(await list()).toEqual({ secrets: [], missing: [] });
    expect(await pinnedValues(release.id)).toEqual({ TOKEN: 'x' });
    expect(code(await call('DELETE', '/TOKEN'))).toBe('not_found');
    expect((await set('TOKEN', 'again')).secret.version).toBe(2);
  });

  it('deletes the value when no release was made with it', async () => {
    await set('TOKEN', 'x');
    await call('DELETE', '/TOKEN');
    expect(await api.database.db.secret.count({ where: { environmentId: world.environmentId } })).toBe(0);
  });

  it('rolls out the value of the environment to a service whose own was removed', async () => {
    await set('TOKEN', 'of all');
    await set('TOKEN', 'own', '?service=web');
    await serve();
    const release = await makeRelease(api.database.db, world.service.id, { spec: { ...spec, secrets: ['TOKEN'] } });
    await api.database.db.service.update({ where: { id: world.service.id }, data: { servingReleaseId: release.id } });
    await configure('TOKEN');
    const { rollouts } = (await call('DELETE', '/TOKEN?service=web')).json<SecretSet>();
    expect(rollouts).toHaveLength(1);
    expect(await pinnedValues((await newest()).releaseId)).toEqual({ TOKEN: 'of all' });
  });
});

it('records who set and removed what, without the value', async () => {
  await set('TOKEN', canary);
  await call('DELETE', '/TOKEN');
  const subject = `environment:${world.environmentId}`;
  const answer = await api.fastify.inject({ method: 'GET', url: `/api/v1/audit-events?subject=${subject}`, headers });
  expect(answer.json<{ events: object[] }>().events).toMatchObject([
    { actor: 'ada', action: 'secret.removed', reason: 'production: TOKEN was removed.' },
    { actor: 'ada', action: 'secret.set', reason: 'production: TOKEN was set (version 1).' },
  ]);
  expect(answer.body).not.toContain(canary);
});
