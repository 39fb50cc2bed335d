import { describe, expect, it } from 'vitest';
import { buildAll, convergeAll, makeProject, push, resolved } from '../../test/worker/play.ts';
import { useAgent, useWorld } from '../../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
/** A rollout that found no node, after the control plane was away for long past its deadline. */
async function backAfterAnHour(hearingSince: (now: Date) => Date): Promise<string> {
  const project = await makeProject(world);
  const intentId = await push(world, project, { services: [resolved('web', { deadlineMs: 60_000 })] });
  await world.database.db.node.update({ where: { id: agent.id }, data: { cordonedAt: null } });
  await agent.beat();
  await world.queues.drain();
  const claimed = await agent.claim();
  await world.database.db.node.update({ where: { id: agent.id }, data: { cordonedAt: world.now() } });
  await agent.finish(claimed!);
  await world.queues.drain();
  world.clock.aheadMs += 3_600_000;
  world.deps.hearingSince = hearingSince(world.now());
  await world.sweep();
  await world.queues.drain();
  return intentId;
}

const stageOf = async (intentId: string) =>
  (await world.database.db.rollout.findFirstOrThrow({ where: { intentId } })).stage;

describe('after the control plane was away', () => {
  it('a rollout without a node has its time before it again', async () => {
    const intentId = await backAfterAnHour((now) => now);
    expect(await stageOf(intentId)).toBe('pending');
    world.clock.aheadMs += 30_000;
    await world.database.db.node.update({ where: { id: agent.id }, data: { cordonedAt: null } });
    await buildAll(world, [agent]);
    await world.sweep();
    await world.queues.drain();
    await convergeAll(world, [agent]);
    expect(await stageOf(intentId)).toBe('running');
  });

  it('and fails when nodes have not reported within a minute', async () => {
    const intentId = await backAfterAnHour((now) => new Date(now.getTime() - 61_000));
    expect(await stageOf(intentId)).toBe('failed');
  });
});
