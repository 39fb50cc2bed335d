import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { decrypt, encrypt } from '../../platform/crypto/envelope.ts';
import { advanceRollout } from '../../platform/queue/jobs.ts';
import { transaction } from '../../prisma/client.ts';
import { loadExpectedSnapshot } from '../../prisma/store/expected-state.ts';
import { deleteUnusedSecrets } from '../../prisma/store/secrets.ts';
import { removeSecret, setSecret } from '../../prisma/store/secret-changes.ts';
import { buildAll, convergeAll, deploy, push, resolved } from '../../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);
let environmentId: string;

beforeEach(async () => {
  const data = { projectId: project.id, name: 'production' };
  ({ id: environmentId } = await world.database.db.environment.create({ data }));
});

const withSecrets = (...secrets: string[]) => ({ services: [resolved('web', { secrets })] });

const place = (id: string) => ({ table: 'Secret', column: 'valueSealed', id });

/** As the API does. */
async function set(name: string, value: string, masterKeys = world.deps.masterKeys): Promise<void> {
  const id = randomUUID();
  const valueSealed = encrypt(masterKeys, Buffer.from(value), place(id));
  const secret = { id, environmentId, service: '', name, valueSealed, setBy: 'ada' };
  const { wakes } = await transaction(world.database, (tx) => setSecret(tx, { ...secret, at: world.now() }));
  for (const { id, factsVersion } of wakes)
    await world.queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
  await world.queues.drain();
}

/** What the allocations of the environment are expected to run with. */
async function expected() {
  const snapshot = await loadExpectedSnapshot(world.database, agent.id, world.now());
  const ids = await world.database.db.allocation.findMany({ where: { service: { environmentId } } });
  return (snapshot?.allocations ?? [])
    .filter(({ allocationId }) => ids.some(({ id }) => id === allocationId))
    .map(({ secrets }) =>
      secrets.map(
        ({ id, name, valueSealed }) => `${name}=${decrypt(world.deps.masterKeys, valueSealed, place(id)).toString()}`,
      ),
    );
}

const intentOf = (id: string) =>
  world.database.db.intent.findUniqueOrThrow({
    where: { id },
    include: { builds: true, rollouts: { orderBy: { generation: 'asc' }, include: { release: true } } },
  });

const lastRollout = () =>
  world.database.db.rollout.findFirstOrThrow({
    where: { service: { environmentId } },
    orderBy: { generation: 'desc' },
    include: { release: true },
  });

async function checkOf(sha: string) {
  await world.queues.drain();
  return world.sandbox.state.checkRuns.filter(({ headSha }) => headSha === sha)[0];
}

describe('a secret that is missing', () => {
  it('fails the intent at once with the sentence that says how it is set; what ran keeps running', async () => {
    await deploy(world, project, [agent]);
    const serving = await lastRollout();
    const sha = await project.commit();
    const intentId = await push(world, project, { sha, ...withSecrets('DATABASE_PASSWORD') });
    const repository = `${project.owner}/${project.name}`;
    const sentence = `web needs the secret DATABASE_PASSWORD, which production does not have. Set it with: landfall secret set DATABASE_PASSWORD --environment production --repository ${repository}`;
    expect(await intentOf(intentId)).toMatchObject({
      ...{ status: 'failed', reasonCode: 'secret_missing', reason: sentence },
      ...{ builds: [], rollouts: [] },
    });
    const check = await checkOf(sha);
    expect(check).toMatchObject({ status: 'completed', conclusion: 'failure' });
    expect(check?.output.summary?.replaceAll('\\', '')).toContain(sentence);
    expect((await lastRollout()).id).toBe(serving.id);
    expect(await expected()).toEqual([[]]);
  });

  it('deploys the same commit when it is run again with the secret', async () => {
    const sha = await project.commit();
    await push(world, project, { sha, ...withSecrets('TOKEN') });
    await set('TOKEN', 'one');
    const again = await deploy(world, project, [agent], { sha, ...withSecrets('TOKEN') });
    expect((await intentOf(again)).status).toBe('succeeded');
    expect(await expected()).toEqual([['TOKEN=one']]);
  });

  it('fails an intent from which it is taken while it is built', async () => {
    await set('TOKEN', 'one');
    const intentId = await push(world, project, withSecrets('TOKEN'));
    const at = world.now();
    await transaction(world.database, (tx) => removeSecret(tx, { environmentId, service: '', name: 'TOKEN' }, at));
    await buildAll(world, [agent]);
    expect(await intentOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'secret_missing', rollouts: [] });
  });
});

describe('a secret that is set', () => {
  it('P06: reaches a service that runs by a rollout of its own, start-first', async () => {
    await set('TOKEN', 'one');
    const intentId = await deploy(world, project, [agent], withSecrets('TOKEN'));
    const first = await lastRollout();
    await set('TOKEN', 'two');
    expect((await expected()).sort()).toEqual([['TOKEN=one'], ['TOKEN=two']]);
    await convergeAll(world, [agent]);
    expect(await expected()).toEqual([['TOKEN=two']]);
    const second = await lastRollout();
    expect(second).toMatchObject({ stage: 'running', intentId: null, previousReleaseId: first.releaseId });
    expect(second.release).toMatchObject({
      ...{ sha: first.release.sha, imageDigest: first.release.imageDigest, specDigest: first.release.specDigest },
      number: first.release.number + 1,
    });
    expect((await intentOf(intentId)).status).toBe('succeeded');
  });

  describe('and the address that GitHub shows', () => {
    const statuses = async () => {
      await world.queues.drain();
      const { deployments, deploymentStatuses } = world.sandbox.state;
      const ids = deployments.filter(({ repositoryId }) => repositoryId === project.repositoryId).map(({ id }) => id);
      return ids.map((id) =>
        deploymentStatuses
          .filter(({ deploymentId }) => deploymentId === id)
          .map(({ state, environmentUrl }) => [state, environmentUrl]),
      );
    };
    const servingUrl = async () => {
      const where = { service: { environmentId }, desired: 'running' as const };
      return `http://${(await world.database.db.allocation.findFirstOrThrow({ where })).ip}:8080`;
    };

    it('is the one after the rollout, told once, and of the current deployment alone', async () => {
      await set('TOKEN', 'one');
      await deploy(world, project, [agent], withSecrets('TOKEN'));
      const first = await servingUrl();
      const sha = await project.commit();
      await deploy(world, project, [agent], { sha, ...withSecrets('TOKEN') });
      const second = await servingUrl();
      await set('TOKEN', 'two');
      await convergeAll(world, [agent]);
      const third = await servingUrl();
      await world.sweep();
      expect(new Set([first, second, third]).size).toBe(3);
      expect(await statuses()).toEqual([
        [
          ['in_progress', ''],
          ['success', first],
          ['inactive', ''],
        ],
        [
          ['in_progress', ''],
          ['success', second],
          ['success', third],
        ],
      ]);
      const summary = (await checkOf(sha))?.output.summary?.replaceAll('\\', '');
      expect(summary).toContain(`Serving at ${third}`);
    });

    it('is set inactive with the deployment by the next deploy', async () => {
      await set('TOKEN', 'one');
      await deploy(world, project, [agent], withSecrets('TOKEN'));
      await set('TOKEN', 'two');
      await convergeAll(world, [agent]);
      await deploy(world, project, [agent], withSecrets('TOKEN'));
      const states = (await statuses()).map((each) => each.map(([state]) => state));
      expect(states).toEqual([
        ['in_progress', 'success', 'success', 'inactive'],
        ['in_progress', 'success'],
      ]);
    });

    it('stays when it is configured', async () => {
      await set('TOKEN', 'one');
      await deploy(world, project, [agent], withSecrets('TOKEN'));
      await world.database.db.environment.update({
        where: { id: environmentId },
        data: { url: 'https://shop.example.com' },
      });
      const before = await statuses();
      await set('TOKEN', 'two');
      await convergeAll(world, [agent]);
      expect(await lastRollout()).toMatchObject({ stage: 'running', intentId: null });
      expect(await statuses()).toEqual(before);
    });
  });

  it('leaves the old value serving when the new one does not run', async () => {
    await set('TOKEN', 'one');
    await deploy(world, project, [agent], withSecrets('TOKEN'));
    await set('TOKEN', 'bad');
    const running = await agent.expected();
    const bad = await world.database.db.allocation.findMany({ where: { rolloutId: (await lastRollout()).id } });
    const isBad = (id: string) => bad.some((allocation) => allocation.id === id);
    for (let restarts = 1; restarts < 8; restarts++) {
      await agent.report(
        running.map(({ id }) =>
          isBad(id) ? { id, observed: 'exited', health: 'none', detailCode: 'exited', restarts } : { id },
        ),
      );
      await world.queues.drain();
    }
    expect((await lastRollout()).stage).toBe('rolled_back');
    await convergeAll(world, [agent]);
    await deleteUnusedSecrets(world.database.db);
    expect(await expected()).toEqual([['TOKEN=one']]);
  });

  it('takes the place of a rollout under way, and its intent succeeds with the new value', async () => {
    await set('TOKEN', 'one');
    await deploy(world, project, [agent], withSecrets('TOKEN'));
    const sha = await project.commit();
    const intentId = await push(world, project, { sha, ...withSecrets('TOKEN') });
    await buildAll(world, [agent]);
    expect((await intentOf(intentId)).rollouts).toHaveLength(1);
    await set('TOKEN', 'two');
    expect(await intentOf(intentId)).toMatchObject({
      status: 'active',
      rollouts: [{ stage: 'stopped', reasonCode: 'superseded' }, { finishedAt: null }],
    });
    await convergeAll(world, [agent]);
    expect((await intentOf(intentId)).status).toBe('succeeded');
    expect((await lastRollout()).release.sha).toBe(sha);
    expect(await expected()).toEqual([['TOKEN=two']]);
    expect(await checkOf(sha)).toMatchObject({ status: 'completed', conclusion: 'success' });
  });

  it('is missed by no release that is made while it is set', async () => {
    await set('TOKEN', 'one');
    await deploy(world, project, [agent], withSecrets('TOKEN'));
    await push(world, project, withSecrets('TOKEN'));
    const setTwice = set('TOKEN', 'two').then(() => set('TOKEN', 'three'));
    await Promise.all([buildAll(world, [agent]), setTwice]);
    await convergeAll(world, [agent]);
    await convergeAll(world, [agent]);
    expect(await expected()).toEqual([['TOKEN=three']]);
  });
});
