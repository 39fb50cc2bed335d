import { afterEach, describe, expect, it } from 'vitest';
import { transaction } from '../../prisma/client.ts';
import { removeNode } from '../../prisma/store/registration.ts';
import {
  buildAll,
  convergeAll,
  deploy,
  makeProject,
  push,
  resolved,
  type PlayedAgent,
} from '../../test/worker/play.ts';
import { useAgents, useProject, useWorld } from '../../test/worker/suite.ts';

const world = useWorld();
const project = useProject(world);
const { agents, agent } = useAgents(world);

afterEach(async () => {
  const { outcomes } = world.queues;
  expect(outcomes.splice(0)).toEqual([]);
  world.queues.obliterate();
  const { db } = world.database;
  await db.node.updateMany({ data: { cordonedAt: new Date() } });
  await db.rollout.updateMany({ where: { finishedAt: null }, data: { stage: 'stopped', finishedAt: new Date() } });
  await db.intent.updateMany({ where: { status: 'active' }, data: { status: 'cancelled' } });
});

async function rolloutOf(intentId: string) {
  return world.database.db.rollout.findFirstOrThrow({
    where: { intentId },
    include: { service: true, events: { orderBy: { id: 'asc' } }, allocations: { orderBy: { replica: 'asc' } } },
  });
}

function intentOf(id: string) {
  return world.database.db.intent.findUniqueOrThrow({ where: { id } });
}

function checkRunOf(intentId: string) {
  return world.sandbox.state.checkRuns.filter(({ externalId }) => externalId === `intent:${intentId}`)[0];
}

async function pass(milliseconds: number, beating = agents): Promise<void> {
  world.clock.aheadMs += milliseconds;
  for (const each of beating) await each.beat();
  await world.queues.drain();
}

/** A release that serves, and a push of the next one that is built and placed. */
async function secondRelease(
  runner: PlayedAgent,
): Promise<{ first: string; second: string; old: string; next: string }> {
  const first = await deploy(world, project, [runner]);
  const old = (await rolloutOf(first)).allocations[0]!.id;
  const second = await push(world, project);
  await buildAll(world, [runner]);
  return { first, second, old, next: (await rolloutOf(second)).allocations[0]!.id };
}

describe('a release that does not get well', () => {
  it.each([
    ['exits again and again', { observed: 'exited', health: 'none', restarts: 3, detailCode: 'exited' }, 'crash_loop'],
    ['fails its health check', { observed: 'running', health: 'unhealthy' }, 'health_failed'],
    ['cannot be pulled for the password', { observed: 'pulling', detailCode: 'registry_refused' }, 'registry_refused'],
  ] as const)('that %s: the old one goes on serving', async (_title, report, code) => {
    const runner = await agent();
    const { first, second, old, next } = await secondRelease(runner);
    const serving = (await rolloutOf(first)).releaseId;
    const detail = 'the container exited with code 1';
    await runner.report([{ id: old }, { id: next, detail, lastLog: ['starting', 'Error: no database'], ...report }]);
    await world.queues.drain();
    const rollout = await rolloutOf(second);
    expect(rollout).toMatchObject({ stage: 'rolled_back', reasonCode: code });
    expect(rollout.reason).toContain(detail);
    expect(rollout.service.servingReleaseId).toBe(serving);
    expect(rollout.allocations).toMatchObject([{ desired: 'stopped' }]);
    expect((await runner.expected()).map(({ id }) => id)).toEqual([old]);
    expect(await intentOf(second)).toMatchObject({ status: 'failed', reasonCode: code });
    const run = checkRunOf(second);
    expect(run).toMatchObject({ status: 'completed', conclusion: 'failure' });
    expect(run?.output.title).toBe('Rolled back: the previous release goes on serving');
    expect(run?.output.text).toContain('Error: no database');
    await convergeAll(world, [runner]);
    const gone = await rolloutOf(second);
    expect(gone.allocations[0]?.stoppedAt).not.toBeNull();
    expect((await deploy(world, project, [runner]).then(rolloutOf)).stage).toBe('running');
  });

  it('is not healthy by the deadline: failed, where nothing served before', async () => {
    const runner = await agent();
    const intentId = await push(world, project, { services: [resolved('web', { deadlineMs: 20_000 })] });
    await buildAll(world, [runner]);
    await runner.converge({ health: 'starting' });
    await world.queues.drain();
    expect(await rolloutOf(intentId)).toMatchObject({ stage: 'starting', reasonCode: 'waiting_for_health' });
    await pass(10_000);
    await pass(11_000);
    expect(await rolloutOf(intentId)).toMatchObject({ stage: 'failed', reasonCode: 'deadline_passed' });
    expect(await runner.expected()).toEqual([]);
    expect((await rolloutOf(intentId)).service.servingReleaseId).toBeNull();
    expect(checkRunOf(intentId)).toMatchObject({ conclusion: 'failure' });
  });

  it('of two services: the intent ends when both have ended, and is failed', async () => {
    const runner = await agent();
    const intentId = await push(world, project, { services: [resolved('web'), resolved('api')] });
    await buildAll(world, [runner]);
    const expected = await runner.expected();
    const [api, web] = ['api', 'web'].map((name) => expected.find(({ serviceName }) => serviceName === name)!.id);
    const broken = { observed: 'running', health: 'unhealthy' } as const;
    await runner.report([
      { id: api!, ...broken },
      { id: web!, health: 'starting' },
    ]);
    await world.queues.drain();
    expect((await intentOf(intentId)).status).toBe('active');
    await runner.report([{ id: web! }]);
    await world.queues.drain();
    expect(await intentOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'health_failed' });
    const stages = await world.database.db.rollout.findMany({ where: { intentId }, orderBy: { stage: 'asc' } });
    expect(stages.map(({ stage }) => stage)).toEqual(['running', 'failed']);
  });
});

describe('a rollout that waits', () => {
  it('for room says why, once, and goes on when a node comes', async () => {
    const runner = await agent({ resources: { memoryBytes: 64e6 } });
    const intentId = await push(world, project);
    await buildAll(world, [runner]);
    const waiting = await rolloutOf(intentId);
    expect(waiting).toMatchObject({ stage: 'pending', reasonCode: 'no_capacity' });
    expect(waiting.reason).toContain('memory');
    await pass(6_000);
    await pass(6_000);
    const events = (await rolloutOf(intentId)).events.filter(({ reasonCode }) => reasonCode === 'no_capacity');
    expect(events).toHaveLength(1);
    const other = await agent();
    await pass(6_000);
    expect(await rolloutOf(intentId)).toMatchObject({ stage: 'pulling', allocations: [{ nodeId: other.id }] });
  });

  it('for a node that went silent is `unknown`, and goes on when the node is back', async () => {
    const runner = await agent();
    const intentId = await push(world, project);
    await buildAll(world, [runner]);
    await runner.converge({ health: 'starting' });
    await world.queues.drain();
    await pass(31_000, []);
    expect(await rolloutOf(intentId)).toMatchObject({ stage: 'unknown', reasonCode: 'nodes_silent' });
    await pass(3_000);
    await pass(6_000);
    expect((await rolloutOf(intentId)).stage).toBe('starting');
    await convergeAll(world, [runner]);
    expect((await intentOf(intentId)).status).toBe('succeeded');
  });

  it('P21: a report of an earlier generation moves nothing', async () => {
    const runner = await agent();
    const { first, second, old, next } = await secondRelease(runner);
    await runner.report([{ id: old }, { id: next }]);
    await world.queues.drain();
    await convergeAll(world, [runner]);
    expect((await rolloutOf(second)).stage).toBe('running');
    await runner.report([{ id: old }, { id: next }]);
    await world.queues.drain();
    const gone = await world.database.db.allocation.findUniqueOrThrow({ where: { id: old } });
    expect(gone).toMatchObject({ desired: 'stopped', observed: 'gone' });
    expect((await rolloutOf(first)).service.servingReleaseId).toBe((await rolloutOf(second)).releaseId);
  });

  it('on a node that is removed is placed on another one', async () => {
    const [one, two] = [await agent(), await agent()];
    const intentId = await push(world, project);
    await buildAll(world, [one, two]);
    const { nodeId } = (await rolloutOf(intentId)).allocations[0]!;
    await transaction(world.database, (tx) => removeNode(tx, nodeId, world.now()));
    await world.sweep();
    await world.queues.drain();
    const left = nodeId === one.id ? two : one;
    const rollout = await rolloutOf(intentId);
    expect(rollout.events.map(({ reasonCode }) => reasonCode)).toContain('allocation_lost');
    expect(rollout.allocations.find(({ desired }) => desired === 'running')).toMatchObject({ nodeId: left.id });
    await convergeAll(world, [left]);
    expect((await rolloutOf(intentId)).stage).toBe('running');
    expect((await intentOf(intentId)).status).toBe('succeeded');
  });

  it('of a service that is taken out ends with that reason', async () => {
    const runner = await agent();
    const first = await push(world, project, { services: [resolved('web'), resolved('api')] });
    await buildAll(world, [runner]);
    const { db } = world.database;
    const api = await db.service.findFirstOrThrow({ where: { name: 'api', environment: { projectId: project.id } } });
    const webOnly = async (): Promise<void> => {
      const containers = (await runner.expected()).map(({ id, serviceName }) => ({
        id,
        health: serviceName === 'api' ? ('starting' as const) : ('healthy' as const),
      }));
      await runner.report(containers);
      await world.queues.drain();
    };
    for (let round = 0; round < 3; round++) await webOnly();
    const second = await push(world, project, { services: [resolved('web')] });
    await buildAll(world, [runner]);
    for (let round = 0; round < 3; round++) await webOnly();
    expect((await intentOf(second)).status).toBe('succeeded');
    const ofApi = await db.rollout.findMany({ where: { serviceId: api.id } });
    expect(ofApi).toMatchObject([{ stage: 'stopped', reasonCode: 'service_removed' }]);
    expect((await intentOf(first)).status).toBe('succeeded');
  });

  it('P04: a spec of another service that cannot be read does not keep it from being placed', async () => {
    const runner = await agent();
    await deploy(world, project, [runner]);
    const { db } = world.database;
    await db.release.updateMany({
      where: { service: { environment: { projectId: project.id } } },
      data: { spec: 'broken' },
    });
    const other = await makeProject(world);
    const intentId = await deploy(world, other, [runner]);
    expect((await rolloutOf(intentId)).stage).toBe('running');
  });
});

it('records why a replica is where it is', async () => {
  const runner = await agent();
  const intentId = await deploy(world, project, [runner]);
  const [allocation] = (await rolloutOf(intentId)).allocations;
  expect(allocation?.placement).toEqual(expect.arrayContaining([expect.stringContaining('with room')]));
});
