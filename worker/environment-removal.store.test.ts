import { describe, expect, it } from 'vitest';
import { advanceRollout, flushOutbox } from '../platform/queue/jobs.ts';
import { transaction } from '../prisma/client.ts';
import { removeEnvironment, type EnvironmentRemoved } from '../prisma/store/environment-removal.ts';
import { buildAll, convergeAll, deploy, push, resolved } from '../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);
const environmentOf = (name: string) =>
  world.database.db.environment.findUniqueOrThrow({ where: { projectId_name: { projectId: project.id, name } } });

/** What the API does at a person's word. */
async function remove(name: string): Promise<EnvironmentRemoved | null> {
  const { id } = await environmentOf(name);
  const context = { consoleUrl: world.deps.consoleUrl, now: world.now() };
  const removed = await transaction(world.database, (tx) => removeEnvironment(tx, { id, actor: 'ada' }, context));
  for (const each of removed?.rollouts ?? [])
    await world.queues.enqueue(advanceRollout, { rolloutId: each.id, version: each.factsVersion });
  if (removed?.owes != null) await world.queues.enqueue(flushOutbox, removed.owes);
  return removed;
}

async function settle(): Promise<void> {
  await world.queues.drain();
  await convergeAll(world, [agent]);
  await world.sweep();
  await convergeAll(world, [agent]);
}

const allocations = (environment: string) =>
  world.database.db.allocation.findMany({
    where: { service: { environment: { projectId: project.id, name: environment } } },
    orderBy: { createdAt: 'asc' },
    select: { desired: true, observed: true },
  });

const statesAtGithub = () => {
  const { deployments, deploymentStatuses } = world.sandbox.state;
  return deployments
    .filter(({ repositoryId }) => repositoryId === project.repositoryId)
    .map(({ id, environment }) => {
      const states = deploymentStatuses.filter(({ deploymentId }) => deploymentId === id).map(({ state }) => state);
      return [environment, states.at(-1)];
    });
};

describe('an environment that is removed', () => {
  it('stops, is inactive at GitHub, and leaves the others alone', async () => {
    await deploy(world, project, [agent], { services: [resolved('web'), resolved('api')] });
    await deploy(world, project, [agent], { environment: 'staging' });
    expect(await remove('production')).toMatchObject({ name: 'production', services: ['api', 'web'], secrets: 0 });
    await settle();
    expect(await allocations('production')).toEqual([
      { desired: 'stopped', observed: 'gone' },
      { desired: 'stopped', observed: 'gone' },
    ]);
    expect(await allocations('staging')).toEqual([{ desired: 'running', observed: 'running' }]);
    expect(statesAtGithub()).toEqual([
      ['production', 'inactive'],
      ['staging', 'success'],
    ]);
  });

  it('says on the timeline of what ran there who removed it', async () => {
    await deploy(world, project, [agent]);
    await remove('production');
    const { id } = await environmentOf('production');
    const last = await world.database.db.rolloutEvent.findFirstOrThrow({
      where: { rollout: { service: { environmentId: id } } },
      orderBy: { id: 'desc' },
    });
    expect(last).toMatchObject({
      reasonCode: 'environment_removed',
      message: 'ada removed the environment production.',
    });
  });

  it('is removed once', async () => {
    await deploy(world, project, [agent]);
    await remove('production');
    expect(await remove('production')).toBeNull();
  });

  it('ends the build under way there, and its check run', async () => {
    const intentId = await push(world, project);
    await agent.beat();
    await world.queues.drain();
    const claimed = await agent.claim();
    await world.queues.drain();
    await remove('production');
    expect(await agent.renew(claimed!)).toMatchObject({ cancelCode: 'environment_removed' });
    await agent.finish(claimed!, { kind: 'cancelled', code: 'environment_removed' });
    await settle();
    const intent = await world.database.db.intent.findUniqueOrThrow({
      where: { id: intentId },
      include: { builds: { include: { build: true } }, rollouts: true },
    });
    expect(intent).toMatchObject({ status: 'cancelled', reasonCode: 'environment_removed', rollouts: [] });
    expect(intent.builds.map(({ build }) => build.status)).toEqual(['cancelled']);
    expect(statesAtGithub()).toEqual([['production', 'inactive']]);
    const runs = world.sandbox.state.checkRuns.filter(({ repositoryId }) => repositoryId === project.repositoryId);
    expect(runs.map(({ conclusion }) => conclusion)).toEqual(['cancelled']);
  });

  it('leaves a build alone that another environment waits for', async () => {
    const sha = await project.commit();
    await push(world, project, { sha });
    const staging = await push(world, project, { sha, environment: 'staging' });
    await remove('production');
    await buildAll(world, [agent]);
    await convergeAll(world, [agent]);
    expect(await world.database.db.intent.findUnique({ where: { id: staging } })).toMatchObject({
      status: 'succeeded',
    });
    expect(await allocations('production')).toEqual([]);
  });

  it('ends the rollout under way there, whatever its stage', async () => {
    await push(world, project);
    await buildAll(world, [agent]);
    await world.queues.drain();
    const rollouts = () =>
      world.database.db.rollout.findMany({ where: { service: { environment: { projectId: project.id } } } });
    expect((await rollouts()).map(({ finishedAt }) => finishedAt)).toEqual([null]);
    await remove('production');
    await settle();
    expect(await rollouts()).toMatchObject([{ stage: 'stopped', reasonCode: 'environment_removed' }]);
    expect((await allocations('production')).map(({ desired }) => desired)).toEqual(['stopped']);
  });

  it('is made anew by a push that comes after', async () => {
    await deploy(world, project, [agent]);
    await remove('production');
    await settle();
    const again = await deploy(world, project, [agent]);
    expect(await world.database.db.intent.findUnique({ where: { id: again } })).toMatchObject({ status: 'succeeded' });
    expect(await environmentOf('production')).toMatchObject({ removedAt: null });
    expect(await allocations('production')).toEqual([
      { desired: 'stopped', observed: 'gone' },
      { desired: 'running', observed: 'running' },
    ]);
    expect(statesAtGithub()).toEqual([
      ['production', 'inactive'],
      ['production', 'success'],
    ]);
  });

  it('and a push at the same moment end in one of the two orders', async () => {
    await deploy(world, project, [agent]);
    const [removed] = await Promise.all([remove('production'), push(world, project)]);
    expect(removed).not.toBeNull();
    await buildAll(world, [agent]);
    await settle();
    const environment = await environmentOf('production');
    const running = (await allocations('production')).filter(({ desired }) => desired === 'running');
    expect(running).toHaveLength(environment.removedAt === null ? 1 : 0);
  });
});
