/** P04: a row that cannot be read ends with that reason, and what stands behind it goes on. */
import { afterAll, describe, expect, it } from 'vitest';
import { buildAll, convergeAll, deploy, push } from '../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);

afterAll(() => {
  expect(world.queues.outcomes).toEqual([]);
});

function intentOf(id: string) {
  return world.database.db.intent.findUniqueOrThrow({ where: { id }, include: { rollouts: true } });
}

describe('P04: what cannot be read', () => {
  it('of a build fails it', async () => {
    const intentId = await push(world, project);
    await world.database.db.build.updateMany({ where: { projectId: project.id }, data: { spec: { kind: 'spell' } } });
    await world.queues.drain();
    expect(await intentOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'internal' });
  });

  it('of an intent fails it, and leaves what serves alone', async () => {
    const first = await deploy(world, project, [agent]);
    const intentId = await push(world, project);
    await world.database.db.intent.update({ where: { id: intentId }, data: { config: { web: 'gone' } } });
    await buildAll(world, [agent]);
    expect(await intentOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'internal', rollouts: [] });
    expect((await intentOf(first)).status).toBe('succeeded');
    expect(await agent.expected()).toHaveLength(1);
    await world.sweep();
    await world.queues.drain();
  });

  it('of a release ends its rollout, and the newer one goes on', async () => {
    const intentId = await push(world, project);
    await buildAll(world, [agent]);
    const { db } = world.database;
    const [rollout] = (await intentOf(intentId)).rollouts;
    await db.release.update({ where: { id: rollout!.releaseId }, data: { spec: { name: 1 } } });
    const next = await push(world, project);
    await buildAll(world, [agent]);
    await convergeAll(world, [agent]);
    expect(await intentOf(intentId)).toMatchObject({
      ...{ status: 'failed', reasonCode: 'release_unreadable' },
      reason: expect.stringContaining('its spec cannot be understood: ') as string,
    });
    expect(await db.allocation.findMany({ where: { rolloutId: rollout!.id } })).toMatchObject([{ desired: 'stopped' }]);
    expect((await intentOf(next)).status).toBe('succeeded');
  });
});
