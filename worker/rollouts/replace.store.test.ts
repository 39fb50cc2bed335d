import { afterEach, describe, expect, it } from 'vitest';
import { transaction } from '../../prisma/client.ts';
import { findServiceResource } from '../../prisma/store/project-resources.ts';
import { removeNode, setCordon } from '../../prisma/store/registration.ts';
import { buildAll, convergeAll, deploy, makeProject, push, resolved } from '../../test/worker/play.ts';
import { useAgents, useProject, useWorld } from '../../test/worker/suite.ts';

const world = useWorld();
const project = useProject(world);
const { agents, agent } = useAgents(world);

afterEach(async () => {
  expect(world.queues.outcomes.splice(0)).toEqual([]);
  world.queues.obliterate();
  const { db } = world.database;
  for (const { id } of agents) await transaction(world.database, (tx) => removeNode(tx, id, world.now()));
  await db.service.updateMany({ data: { servingReleaseId: null } });
  await db.rollout.updateMany({ where: { finishedAt: null }, data: { stage: 'stopped', finishedAt: new Date() } });
});

/** What the API does, and the sweep that it asks for. Gives the agents that are left. */
async function remove(nodeId: string): Promise<typeof agents> {
  await transaction(world.database, (tx) => removeNode(tx, nodeId, world.now()));
  agents.splice(
    agents.findIndex(({ id }) => id === nodeId),
    1,
  );
  await sweepAndDrain();
  return agents;
}

async function sweepAndDrain(): Promise<void> {
  await world.sweep();
  await world.queues.drain();
}

async function serviceOf(each = project) {
  return world.database.db.service.findFirstOrThrow({
    where: { environment: { projectId: each.id } },
    include: {
      rollouts: { orderBy: { generation: 'asc' }, include: { events: { orderBy: { id: 'asc' } } } },
      allocations: { where: { desired: 'running' }, orderBy: { replica: 'asc' } },
    },
  });
}

describe('a node that is removed', () => {
  it('has its service serve from the other node, by a rollout of the same release that says why', async () => {
    const [one, two] = [await agent(), await agent()];
    await deploy(world, project, [one, two]);
    const before = await serviceOf();
    const nodeId = before.allocations[0]!.nodeId;
    const name = (await world.database.db.node.findUniqueOrThrow({ where: { id: nodeId } })).name;
    const left = await remove(nodeId);
    await convergeAll(world, left);

    const after = await serviceOf();
    expect(after.servingReleaseId).toBe(before.servingReleaseId);
    expect(after.allocations).toMatchObject([{ nodeId: left[0]!.id, observed: 'running', health: 'healthy' }]);
    const message = `Replica 0 was lost: The node ${name} was removed.`;
    expect(after.rollouts).toMatchObject([
      { generation: 1, stage: 'running' },
      { generation: 2, stage: 'running', releaseId: before.servingReleaseId, intentId: null },
    ]);
    expect(after.rollouts[1]?.events[0]).toMatchObject({ reasonCode: 'replicas_lost', message });
    const audit = await world.database.db.auditEvent.findMany({ where: { subject: `service:${after.id}` } });
    expect(audit).toMatchObject([{ actor: 'landfall', action: 'service.replicas_replaced', reason: message }]);
    await sweepAndDrain();
    expect((await serviceOf()).rollouts).toHaveLength(2);
  });

  it('P06: leaves replicas on other nodes as they are', async () => {
    const fleet = [await agent(), await agent()];
    await deploy(world, project, fleet, { services: [resolved('web', { replicas: 2 })] });
    const [first, second] = (await serviceOf()).allocations;
    fleet.push(await agent());
    const left = await remove(first!.nodeId);
    expect((await serviceOf()).allocations.map(({ id }) => id)).toContain(second!.id);
    await convergeAll(world, left);
    const { allocations, rollouts } = await serviceOf();
    expect(rollouts.at(-1)?.stage).toBe('running');
    expect(allocations.map(({ replica, nodeId }) => [replica, nodeId])).toEqual([
      [0, fleet[2]!.id],
      [1, second!.nodeId],
    ]);
    expect(allocations[1]?.id).toBe(second!.id);
  });

  it('has what ran there wait for room, and says so, until a node comes', async () => {
    const one = await agent();
    const small = await agent({ resources: { memoryBytes: 64e6 } });
    await deploy(world, project, [one]);
    await remove(one.id);
    const { id } = await serviceOf();
    const shown = await findServiceResource(world.database.db, id, world.deps);
    expect(shown).toMatchObject({ replicas: { wanted: 1, healthy: 0 }, rollout: { stage: 'pending' } });
    expect(shown?.rollout?.reason).toContain('No node has room for replica 0.');
    world.clock.aheadMs += 3_600_000;
    await small.beat();
    await sweepAndDrain();
    expect((await serviceOf()).rollouts).toMatchObject([{ stage: 'running' }, { stage: 'pending' }]);
    const other = await agent();
    await small.beat();
    await sweepAndDrain();
    await convergeAll(world, [other, small]);
    expect((await serviceOf()).rollouts).toMatchObject([{ stage: 'running' }, { stage: 'running' }]);
    expect((await serviceOf()).allocations).toMatchObject([{ nodeId: other.id }]);
  });

  it('while a newer release is rolled out: that one goes on, and the old one comes back when it fails', async () => {
    const [one, two] = [await agent(), await agent()];
    await deploy(world, project, [one, two]);
    const old = (await serviceOf()).allocations[0]!;
    await push(world, project);
    await buildAll(world, [one, two]);
    const left = await remove(old.nodeId);
    expect((await serviceOf()).rollouts).toHaveLength(2);
    const [next] = await left[0]!.expected();
    await left[0]!.report([{ id: next!.id, observed: 'running', health: 'unhealthy' }]);
    await world.queues.drain();
    expect((await serviceOf()).rollouts.at(-1)?.stage).toBe('rolled_back');
    await sweepAndDrain();
    await convergeAll(world, left);
    const { rollouts, allocations } = await serviceOf();
    expect(rollouts.at(-1)).toMatchObject({ stage: 'running', releaseId: old.releaseId });
    expect(allocations).toMatchObject([{ nodeId: left[0]!.id, releaseId: old.releaseId }]);
  });

  it('P20: one service that cannot be brought back does not keep the others from it', async () => {
    const one = await agent();
    await deploy(world, project, [one]);
    const other = await makeProject(world);
    await deploy(world, other, [one]);
    const { db } = world.database;
    const { servingReleaseId } = await serviceOf();
    await db.release.update({ where: { id: servingReleaseId! }, data: { spec: { replicas: 1 } } });
    const two = await agent();
    await remove(one.id);
    await convergeAll(world, [two]);
    expect((await serviceOf()).rollouts).toHaveLength(1);
    expect((await serviceOf(other)).allocations).toMatchObject([{ nodeId: two.id, health: 'healthy' }]);
  });
});

it('a cordoned node gets no new replicas and builds, and keeps what runs', async () => {
  const one = await agent();
  await deploy(world, project, [one]);
  const two = await agent();
  await transaction(world.database, (tx) => setCordon(tx, one.id, world.now()));
  await sweepAndDrain();
  expect((await serviceOf()).allocations).toMatchObject([{ nodeId: one.id }]);
  await push(world, project);
  expect(await buildAll(world, [one])).toEqual([]);
  expect(await buildAll(world, [two])).toHaveLength(1);
  expect((await serviceOf()).allocations.map(({ nodeId }) => nodeId)).toEqual([one.id, two.id]);
  await convergeAll(world, [one, two]);
  expect((await serviceOf()).allocations).toMatchObject([{ nodeId: two.id }]);
  await transaction(world.database, (tx) => setCordon(tx, one.id, null));
  await remove(two.id);
  expect((await serviceOf()).allocations).toMatchObject([{ nodeId: one.id }]);
});
