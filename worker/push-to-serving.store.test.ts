import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAgent, makeProject, push, type PlayedAgent, type Project } from '../test/worker/play.ts';
import { startWorld, type World } from '../test/worker/world.ts';

let world: World;
let project: Project;
let agent: PlayedAgent;

beforeAll(async () => {
  world = await startWorld();
  project = await makeProject(world);
  agent = await makeAgent(world);
});

afterAll(async () => {
  expect(world.sandbox.failures).toEqual([]);
  await world.close();
});

async function intentOf(id: string) {
  return world.database.db.intent.findUniqueOrThrow({
    where: { id },
    include: { builds: { include: { build: true } }, rollouts: { include: { service: true, events: true } } },
  });
}

describe('from push to serving', () => {
  it('goes the whole way', async () => {
    const { queues } = world;
    const intentId = await push(world, project);
    await queues.drain();
    const claimed = await agent.claim();
    expect(claimed).toMatchObject({ attempt: 1 });
    await queues.drain();
    expect(await agent.finish(claimed!)).toBe(true);
    await queues.drain();
    expect(await agent.expected()).toHaveLength(1);
    await agent.converge();
    await queues.drain();
    const intent = await intentOf(intentId);
    expect(intent.status).toBe('succeeded');
    expect(intent.rollouts[0]?.stage).toBe('running');
    expect(intent.rollouts[0]?.service.servingReleaseId).toBe(intent.rollouts[0]?.releaseId);
  });
});
