/** Promise 1: whatever dies or runs twice, everything ends once, in one state, and nothing is made twice. */
import { beforeEach, describe, expect, it } from 'vitest';
import { transaction } from '../prisma/client.ts';
import { isUniqueViolation } from '../prisma/conflict.ts';
import { lockIntent, releaseIntent } from '../prisma/store/intent-progress.ts';
import { buildAll, counted, convergeAll, deploy, oneDeploy, push, resolved } from '../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../test/worker/suite.ts';
import { driveBuild } from './builds/advance.ts';
import { advanceIntent } from './intents/settle.ts';
import { flush } from './outbox/flush.ts';
import { driveRollout } from './rollouts/advance.ts';
import { mintSourceToken } from './tokens/mint.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);

beforeEach(async () => {
  await agent.beat();
  world.queues.obliterate();
  world.queues.outcomes.length = 0;
});

/** Every driver of everything there is of the intent, three times over and all at once. */
async function driveAll(intentId: string): Promise<void> {
  const { db } = world.database;
  world.queues.obliterate();
  const builds = await db.intentBuild.findMany({ where: { intentId } });
  const rollouts = await db.rollout.findMany({ where: { service: { environment: { projectId: project.id } } } });
  const drives = [0, 1, 2].flatMap(() => [
    ...builds.map(({ buildId }) => driveBuild(world.deps, buildId)),
    ...rollouts.map(({ id }) => driveRollout(world.deps, id)),
    advanceIntent(world.deps, intentId),
    flush(world.deps, { installationId: project.installationId, upTo: '1' }),
  ]);
  await Promise.all(drives);
  await world.queues.drain();
}

describe('drivers that run twice, at once', () => {
  it('make everything once', async () => {
    const intentId = await push(world, project);
    await driveAll(intentId);
    const claimed = (await agent.claim())!;
    const claim = { workItemId: claimed.id, attempt: 1 };
    await Promise.allSettled([mintSourceToken(world.deps, claim), mintSourceToken(world.deps, claim)]);
    await driveAll(intentId);
    const finishes = await Promise.all([agent.finish(claimed), agent.finish(claimed), agent.finish(claimed)]);
    expect(finishes.filter(Boolean)).toHaveLength(1);
    await driveAll(intentId);
    await driveAll(intentId);
    for (let round = 0; round < 3; round++) {
      await agent.converge();
      await driveAll(intentId);
    }
    expect(await counted(world, project)).toEqual(oneDeploy);
  });

  it('place several replicas once, each on an address of its own', async () => {
    const services = [resolved('web', { replicas: 3 }), resolved('api', { replicas: 2 })];
    const intentId = await push(world, project, { services });
    await world.queues.drain();
    for (let claimed = await agent.claim(); claimed !== null; claimed = await agent.claim())
      await agent.finish(claimed);
    await driveAll(intentId);
    await driveAll(intentId);
    const allocations = await world.database.db.allocation.findMany({
      where: { service: { environment: { projectId: project.id } } },
    });
    expect(allocations).toHaveLength(5);
    expect(new Set(allocations.map(({ ip }) => ip)).size).toBe(5);
    expect(new Set(allocations.map(({ serviceId, replica }) => `${serviceId} ${replica}`)).size).toBe(5);
    await agent.converge();
    await driveAll(intentId);
    await convergeAll(world, [agent]);
    const { intents, rollouts, ends, statuses } = await counted(world, project);
    expect({ intents, rollouts, ends, statuses }).toEqual({
      intents: ['succeeded'],
      rollouts: ['running', 'running'],
      ends: [1, 1],
      statuses: ['in_progress', 'success'],
    });
  });

  it('end two generations of a service in one terminal state each, and one serves', async () => {
    await deploy(world, project, [agent]);
    const second = await push(world, project);
    await world.queues.drain();
    await agent.finish((await agent.claim())!);
    await world.queues.drain();
    const third = await push(world, project);
    await world.queues.drain();
    const claimed = (await agent.claim())!;
    await Promise.all([agent.finish(claimed), agent.converge()]);
    await Promise.all([driveAll(second), driveAll(third)]);
    for (let round = 0; round < 3; round++) {
      await agent.converge();
      await Promise.all([driveAll(second), driveAll(third)]);
    }
    const { rollouts, ends } = await counted(world, project);
    expect(ends).toEqual([1, 1, 1]);
    expect(rollouts.at(-1)).toBe('running');
    const live = await world.database.db.allocation.findMany({
      where: { service: { environment: { projectId: project.id } }, stoppedAt: null },
      include: { rollout: true, service: true },
    });
    expect(live).toHaveLength(1);
    expect(live[0]?.service.servingReleaseId).toBe(live[0]?.releaseId);
    expect(live[0]?.generation).toBe(3);
  });
});

it('an intent that is being released when a newer one is accepted is not superseded: its rollout has begun', async () => {
  const first = await push(world, project);
  await world.queues.drain();
  await agent.finish((await agent.claim())!);
  world.queues.obliterate();
  const { database } = world;
  const pushes: Promise<string>[] = [];
  await transaction(database, async (tx) => {
    const rollouts = await releaseIntent(tx, await lockIntent(tx, first), world.now());
    expect(rollouts).toHaveLength(1);
    const sha = await project.commit();
    pushes.push(push(world, project, { sha }));
    for (;;) {
      const { rows } = await database.pool.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if (rows.length > 0) break;
    }
  });
  await Promise.all(pushes);
  expect((await database.db.intent.findUniqueOrThrow({ where: { id: first } })).status).toBe('active');
  await buildAll(world, [agent]);
  await convergeAll(world, [agent]);
  const { intents, rollouts } = await counted(world, project);
  expect({ intents: intents.toSorted(), rollouts }).toEqual({
    intents: ['succeeded', 'superseded'],
    rollouts: ['stopped', 'running'],
  });
});

it('an address of a node belongs to one allocation at a time, whoever writes', async () => {
  await deploy(world, project, [agent]);
  const { db } = world.database;
  const {
    id: _id,
    placement: _placement,
    lastLog: _lastLog,
    ...taken
  } = await db.allocation.findFirstOrThrow({
    where: { service: { environment: { projectId: project.id } } },
  });
  const again = db.allocation.create({ data: { ...taken, placement: [] } });
  await expect(again).rejects.toSatisfy(isUniqueViolation);
  await db.allocation.create({ data: { ...taken, placement: [], desired: 'stopped', stoppedAt: new Date() } });
});

describe('a process that dies', () => {
  /** Runs the driver with a queue that is gone: its transactions are committed, and nothing of them is enqueued. */
  async function die(drive: (deps: typeof world.deps) => Promise<void>): Promise<void> {
    world.queues.obliterate();
    const enqueue = (): Promise<never> => Promise.reject(new Error('the process is gone'));
    await drive({ ...world.deps, queues: { ...world.queues, enqueue } }).catch(() => undefined);
    expect(world.queues.jobs).toEqual([]);
  }

  it('between a transaction and what it would enqueue: the sweep goes on from the rows', async () => {
    const { db } = world.database;
    const intentId = await push(world, project);
    const { buildId } = await db.intentBuild.findFirstOrThrow({ where: { intentId } });
    await die((deps) => driveBuild(deps, buildId));
    const claimed = (await agent.claim())!;
    await die((deps) => mintSourceToken(deps, { workItemId: claimed.id, attempt: 1 }));
    await agent.finish(claimed);
    await die((deps) => driveBuild(deps, buildId));
    expect(await counted(world, project)).toMatchObject({ releases: 1, rollouts: ['pending'], allocations: 0 });
    await world.sweep();
    await world.queues.drain();
    expect(await counted(world, project)).toMatchObject({ rollouts: ['pulling'], allocations: 1 });
    await agent.converge();
    const rollout = await db.rollout.findFirstOrThrow({ where: { intentId } });
    await die((deps) => driveRollout(deps, rollout.id));
    await world.sweep();
    await world.queues.drain();
    await convergeAll(world, [agent]);
    // What was to be said on the way was lost with the process: the end was not.
    expect(await counted(world, project)).toEqual({ ...oneDeploy, statuses: ['success'] });
  });

  it('between the end of a build and what follows from it: the sweep settles the intent', async () => {
    const intentId = await push(world, project);
    await world.queues.drain();
    const claimed = (await agent.claim())!;
    await world.queues.drain();
    await agent.finish(claimed);
    world.queues.obliterate();
    await world.sweep();
    await world.queues.drain();
    expect(await counted(world, project)).toMatchObject({ releases: 1, rollouts: ['pulling'] });
    expect((await world.database.db.intent.findUniqueOrThrow({ where: { id: intentId } })).status).toBe('active');
  });
});
