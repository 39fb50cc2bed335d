import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEventResource } from '../../core/contract/resources/audit-events.ts';
import type { EnvironmentResource } from '../../core/contract/resources/environments.ts';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { encrypt } from '../../platform/crypto/envelope.ts';
import { saveRules } from '../../prisma/store/projects.ts';
import { defaultProjectConfig } from '../../core/spec/defaults.ts';
import { useBearer, useTestAgent, useTestApi } from '../../test/store/api.ts';
import { makeAllocation, makeRelease, makeRollout, makeWorld, sha, type World } from '../../test/store/rows.ts';

const api = useTestApi();
const agent = useTestAgent(api, 'one');
const headers = useBearer(api, 'ada');
let world: World;

beforeEach(async () => {
  world = await makeWorld(api.database.db);
  api.jobs.length = 0;
});

const remove = (id = world.environmentId, shown: Record<string, string> = headers) =>
  api.fastify.inject({ method: 'DELETE', url: `/api/v1/environments/${id}`, headers: shown });

async function get<T>(path: string): Promise<T> {
  return (await api.fastify.inject({ url: `/api/v1${path}`, headers })).json<T>();
}

async function projectShown(): Promise<ProjectResource | undefined> {
  const { projects } = await get<{ projects: ProjectResource[] }>('/projects');
  return projects.find(({ id }) => id === world.projectId);
}

async function environmentShown(): Promise<EnvironmentResource | undefined> {
  return (await projectShown())?.environments.find(({ id }) => id === world.environmentId);
}

/** `web` serves a release with a secret, and GitHub shows its deployment as a success. */
async function serve(): Promise<{ intentId: string; secretId: string }> {
  const { db } = api.database;
  const { environmentId, service } = world;
  const id = randomUUID();
  const valueSealed = encrypt(api.deps.masterKeys, Buffer.from('hunter2'), {
    ...{ table: 'Secret', column: 'valueSealed', id },
  });
  await db.secret.create({ data: { id, environmentId, name: 'TOKEN', valueSealed } });
  const intent = await db.intent.create({
    data: {
      ...{ environmentId, sha, ref: 'refs/heads/main', trigger: 'push', actor: 'ada', config: {} },
      ...{ status: 'succeeded', requestedAt: new Date() },
    },
  });
  const release = await makeRelease(db, service.id);
  await db.releaseSecret.create({ data: { releaseId: release.id, name: 'TOKEN', secretId: id } });
  const rollout = await makeRollout(db, release, { stage: 'running', finishedAt: new Date(), intentId: intent.id });
  await db.service.update({ where: { id: service.id }, data: { servingReleaseId: release.id } });
  await makeAllocation(db, { nodeId: agent.nodeId, release, rolloutId: rollout.id });
  const { repositoryId } = await db.project.findUniqueOrThrow({ where: { id: world.projectId } });
  await db.githubDeployment.create({
    data: { intentId: intent.id, repositoryId, environmentId, sha, githubId: repositoryId, state: 'success' },
  });
  return { intentId: intent.id, secretId: id };
}

describe('DELETE /environments/:id', () => {
  it('stops what runs, deletes its secrets, owes GitHub the end, and says who did it', async () => {
    const { db } = api.database;
    const { intentId, secretId } = await serve();
    const before = await db.node.findUniqueOrThrow({ where: { id: agent.nodeId } });
    const answer = await remove();
    expect([answer.statusCode, answer.json()]).toEqual([200, { name: 'production', services: ['web'], secrets: 1 }]);

    const [allocation] = await db.allocation.findMany({ where: { serviceId: world.service.id } });
    expect(allocation?.desired).toBe('stopped');
    const after = await db.node.findUniqueOrThrow({ where: { id: agent.nodeId } });
    expect(after.generation).toBeGreaterThan(before.generation);
    expect(await db.secret.findUnique({ where: { id: secretId } })).toBeNull();
    const [write] = await db.outboxWrite.findMany({ where: { subject: `intent:${intentId}` } });
    expect(write).toMatchObject({ kind: 'createDeploymentStatus', payload: { body: { state: 'inactive' } } });
    expect(api.jobs.map(({ name }) => name)).toEqual(['flushOutbox']);
    expect(await environmentShown()).toBeUndefined();

    const path = `/audit-events?subject=environment:${world.environmentId}`;
    const { events } = await get<{ events: AuditEventResource[] }>(path);
    expect(events).toMatchObject([{ actor: 'ada', action: 'environment.removed', reasonCode: 'environment_removed' }]);
    expect(events[0]?.reason).toMatch(/^production of acme\/.* Its services stop: web; secrets deleted: 1\.$/);
  });

  it('knows it only once, and refuses what is none and who may not', async () => {
    expect((await remove()).statusCode).toBe(200);
    for (const id of [world.environmentId, randomUUID(), 'production']) expect((await remove(id)).statusCode).toBe(404);
    expect((await remove(world.environmentId, {})).statusCode).toBe(401);
  });

  it('wakes the rollout that is under way', async () => {
    const release = await makeRelease(api.database.db, world.service.id);
    const { id } = await makeRollout(api.database.db, release);
    await remove();
    expect(api.jobs).toMatchObject([{ name: 'advanceRollout', payload: { rolloutId: id } }]);
  });
});

describe('an environment', () => {
  it('is shown as one that nothing names when the rules in force do not name it', async () => {
    const { db } = api.database;
    expect(await environmentShown()).toMatchObject({ configured: true });
    const { environments, ...config } = defaultProjectConfig({ dockerfile: '', defaultBranch: 'main' });
    await saveRules(db, world.projectId, { ok: true, sha, config: { ...config, environments } });
    expect(await environmentShown()).toMatchObject({ configured: true });
    const others = { staging: environments['production']! };
    await saveRules(db, world.projectId, { ok: true, sha, config: { ...config, environments: others } });
    expect(await environmentShown()).toMatchObject({ configured: false });
    await saveRules(db, world.projectId, { ok: false, sha, issues: [] });
    expect(await environmentShown()).toMatchObject({ configured: false });
  });

  it('is shown, and can be removed, when its repository is gone', async () => {
    const { db } = api.database;
    const { repositoryId } = await db.project.findUniqueOrThrow({ where: { id: world.projectId } });
    await db.repository.update({ where: { id: repositoryId }, data: { removedAt: new Date() } });
    expect(await projectShown()).toMatchObject({ removed: true });
    expect((await remove()).statusCode).toBe(200);
    expect(await projectShown()).toBeUndefined();
  });
});
