import { beforeEach, describe, expect, it } from 'vitest';
import { buildAll, convergeAll, deploy, makeProject, push, resolved } from '../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);

beforeEach(() => {
  world.queues.outcomes.length = 0;
});

async function intentOf(id: string) {
  const { rollouts, ...intent } = await world.database.db.intent.findUniqueOrThrow({
    where: { id },
    include: { rollouts: { include: { service: true, release: true, events: { orderBy: { id: 'asc' } } } } },
  });
  return { ...intent, rollouts: rollouts.toSorted((a, b) => (a.service.name < b.service.name ? -1 : 1)) };
}

function allocationsOf(name: string) {
  return world.database.db.allocation.findMany({
    where: { service: { name, environment: { projectId: project.id } } },
    orderBy: { createdAt: 'asc' },
  });
}

/** What GitHub shows: the states of every deployment in order, and the check runs. */
function shown() {
  const { state } = world.sandbox;
  const deployments = state.deployments.filter(({ repositoryId }) => repositoryId === project.repositoryId);
  return {
    deployments: deployments.map(({ id, sha, ref, environment, payload }) => ({
      ...{ sha, ref, environment, payload },
      states: state.deploymentStatuses.filter(({ deploymentId }) => deploymentId === id).map((each) => each.state),
    })),
    checks: state.checkRuns.filter(({ repositoryId }) => repositoryId === project.repositoryId),
  };
}

describe('from push to serving', () => {
  it('makes release, rollout and allocation, serves, and says so to GitHub', async () => {
    const sha = await project.commit();
    const before = await world.database.db.node.findUniqueOrThrow({ where: { id: agent.id } });
    const intentId = await deploy(world, project, [agent], { sha });

    const intent = await intentOf(intentId);
    expect(intent).toMatchObject({ status: 'succeeded', reasonCode: null });
    const [rollout] = intent.rollouts;
    expect(rollout).toMatchObject({ stage: 'running', generation: 1, previousReleaseId: null });
    expect(rollout?.service.servingReleaseId).toBe(rollout?.releaseId);
    expect(rollout?.release).toMatchObject({ number: 1, sha });
    expect(rollout?.events.map(({ toStage }) => toStage).filter(Boolean)).toEqual([
      ...['pulling', 'starting', 'healthy', 'dns_updating', 'traefik_updating', 'stopping_old', 'running'],
    ]);
    const allocations = await allocationsOf('web');
    expect(allocations).toMatchObject([{ nodeId: agent.id, replica: 0, desired: 'running', observed: 'running' }]);
    const after = await world.database.db.node.findUniqueOrThrow({ where: { id: agent.id } });
    expect(after.generation).toBeGreaterThan(before.generation);

    const { deployments, checks } = shown();
    expect(deployments).toMatchObject([
      { sha, ref: sha, environment: 'production', states: ['in_progress', 'success'] },
    ]);
    expect(checks).toMatchObject([{ headSha: sha, status: 'completed', conclusion: 'success' }]);
    expect(world.queues.outcomes).toEqual([]);
  });

  it('P36: the deployment names the commit itself, merges nothing, and asks for no contexts', async () => {
    await deploy(world, project, [agent]);
    const created = await world.database.db.outboxWrite.findFirstOrThrow({
      where: { kind: 'createDeployment', status: 'sent' },
      orderBy: { id: 'desc' },
    });
    const [deployment] = shown().deployments;
    expect(created.payload).toMatchObject({
      body: { ref: deployment?.sha, auto_merge: false, required_contexts: [] },
    });
    expect(deployment?.ref).toMatch(/^[0-9a-f]{40}$/);
  });

  it('P11: success is posted when it serves, and not before', async () => {
    const intentId = await push(world, project);
    await buildAll(world, [agent]);
    const [expected] = await agent.expected().then((all) => all.slice(-1));
    for (const change of [
      { observed: 'pulling', health: 'none' },
      { observed: 'created', health: 'none' },
      { observed: 'running', health: 'starting' },
    ] as const) {
      await agent.report([{ id: expected!.id, ...change }]);
      await world.queues.drain();
      const [deployment] = shown().deployments;
      expect(deployment?.states).toEqual(['in_progress']);
      expect(shown().checks).toMatchObject([{ status: 'in_progress', conclusion: null }]);
      expect((await intentOf(intentId)).status).toBe('active');
    }
    await convergeAll(world, [agent]);
    expect(shown().deployments[0]?.states).toEqual(['in_progress', 'success']);
  });

  it('P06: the old allocation is stopped only after the new one serves', async () => {
    await deploy(world, project, [agent]);
    const [old] = await allocationsOf('web');
    const intentId = await push(world, project);
    await buildAll(world, [agent]);
    expect((await allocationsOf('web')).map(({ desired }) => desired)).toEqual(['running', 'running']);
    const [, next] = await allocationsOf('web');
    expect(next?.ip).not.toBe(old?.ip);
    await agent.report([{ id: old!.id }, { id: next!.id, observed: 'running', health: 'starting' }]);
    await world.queues.drain();
    expect((await allocationsOf('web'))[0]?.desired).toBe('running');
    await agent.report([{ id: old!.id }, { id: next!.id }]);
    await world.queues.drain();
    expect((await intentOf(intentId)).rollouts[0]).toMatchObject({ stage: 'stopping_old' });
    expect((await allocationsOf('web')).map(({ desired }) => desired)).toEqual(['stopped', 'running']);
    await convergeAll(world, [agent]);
    expect((await intentOf(intentId)).status).toBe('succeeded');
    expect((await allocationsOf('web'))[0]).toMatchObject({ observed: 'gone' });
    expect((await allocationsOf('web'))[0]?.stoppedAt).not.toBeNull();
  });

  it('P37: the superseded deployment is set inactive by us', async () => {
    await deploy(world, project, [agent]);
    await deploy(world, project, [agent]);
    expect(shown().deployments.map(({ states }) => states)).toEqual([
      ['in_progress', 'success', 'inactive'],
      ['in_progress', 'success'],
    ]);
  });

  it('costs GitHub at most six writes a deploy', async () => {
    for (const most of [6, 6]) {
      world.sandbox.requests.reset();
      await deploy(world, project, [agent], { services: [resolved('web'), resolved('api')] });
      const writes = world.sandbox.requests.writes().map(({ operation }) => operation);
      expect(writes.length).toBeLessThanOrEqual(most);
      expect(writes).toContain('repos/create-deployment');
    }
  });

  it('brings two services, and takes out the one that the configuration no longer names', async () => {
    const both = await deploy(world, project, [agent], { services: [resolved('web'), resolved('api')] });
    expect((await intentOf(both)).rollouts.map(({ service, stage }) => [service.name, stage])).toEqual([
      ['api', 'running'],
      ['web', 'running'],
    ]);
    const one = await deploy(world, project, [agent], { services: [resolved('web')] });
    expect((await intentOf(one)).status).toBe('succeeded');
    const services = await world.database.db.service.findMany({
      where: { environment: { projectId: project.id } },
      orderBy: { name: 'asc' },
    });
    expect(services.map(({ name, removedAt }) => [name, removedAt !== null])).toEqual([
      ['api', true],
      ['web', false],
    ]);
    expect(services[0]?.servingReleaseId).toBeNull();
    expect(await allocationsOf('api')).toMatchObject([{ desired: 'stopped', observed: 'gone' }]);
    const again = await deploy(world, project, [agent], { services: [resolved('web'), resolved('api')] });
    expect((await intentOf(again)).status).toBe('succeeded');
  });

  it('does not take out the service that a newer push is about to bring', async () => {
    const first = await push(world, project);
    await buildAll(world, [agent]);
    const second = await push(world, project, { services: [resolved('web'), resolved('api')] });
    await convergeAll(world, [agent]);
    expect((await intentOf(first)).status).toBe('succeeded');
    await buildAll(world, [agent]);
    await convergeAll(world, [agent]);
    const intent = await intentOf(second);
    expect(intent.rollouts.map(({ stage }) => stage)).toEqual(['running', 'running']);
    expect(intent.status).toBe('succeeded');
  });

  it('P10: a commit that was built before is rolled out again without a build', async () => {
    const sha = await project.commit();
    await deploy(world, project, [agent], { sha });
    await deploy(world, project, [agent]);
    const again = await push(world, project, { sha });
    expect(await buildAll(world, [agent])).toEqual([]);
    await convergeAll(world, [agent]);
    const intent = await intentOf(again);
    expect(intent.status).toBe('succeeded');
    expect(intent.rollouts[0]?.release).toMatchObject({ sha, number: 3 });
  });

  it('a newer rollout takes the place of one that is not healthy yet, at once', async () => {
    const first = await push(world, project);
    await buildAll(world, [agent]);
    expect((await intentOf(first)).rollouts[0]?.stage).toBe('pulling');
    const second = await push(world, project);
    await buildAll(world, [agent]);
    expect((await intentOf(first)).rollouts[0]).toMatchObject({ stage: 'stopped', reasonCode: 'superseded' });
    expect(await intentOf(first)).toMatchObject({ status: 'superseded', reasonCode: 'superseded' });
    expect((await intentOf(second)).rollouts[0]?.stage).toBe('pulling');
    await convergeAll(world, [agent]);
    expect((await intentOf(second)).status).toBe('succeeded');
    const live = (await allocationsOf('web')).filter(({ stoppedAt }) => stoppedAt === null);
    expect(live).toHaveLength(1);
  });

  it('a newer rollout waits for one that is healthy, and rolls back to it when it fails itself', async () => {
    const first = await push(world, project);
    await buildAll(world, [agent]);
    const [old] = await allocationsOf('web');
    await deploy(world, await makeProject(world), []);
    // Stands at stopping_old only while an old one stops: so it is given one.
    await convergeAll(world, [agent]);
    const second = await push(world, project);
    await buildAll(world, [agent]);
    const [, next] = await allocationsOf('web');
    await agent.report([{ id: old!.id }, { id: next!.id }]);
    await world.queues.drain();
    expect((await intentOf(second)).rollouts[0]?.stage).toBe('stopping_old');
    const third = await push(world, project);
    await buildAll(world, [agent]);
    expect((await intentOf(third)).rollouts[0]).toMatchObject({ stage: 'pending', reasonCode: 'waiting_for_older' });
    await agent.converge();
    await world.queues.drain();
    expect((await intentOf(second)).status).toBe('succeeded');
    const [rollout] = (await intentOf(third)).rollouts;
    expect(rollout).toMatchObject({
      stage: 'pulling',
      previousReleaseId: (await intentOf(second)).rollouts[0]?.releaseId,
    });
    expect((await intentOf(first)).status).toBe('succeeded');
    await convergeAll(world, [agent]);
    expect((await intentOf(third)).status).toBe('succeeded');
  });
});
