/** What stands between a push and serving is mostly statements on their way to PostgreSQL: none comes in unseen. */
import { beforeAll, expect, it } from 'vitest';
import type { PoolClient } from 'pg';
import { advanceBuild, advanceRollout } from '../platform/queue/jobs.ts';
import { push } from '../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);
let statements = 0;

beforeAll(() => {
  const counted = new WeakSet<PoolClient>();
  world.database.pool.on('acquire', (client) => {
    if (counted.has(client)) return;
    counted.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const counting = (...args: unknown[]): unknown => {
      statements++;
      return query(...args);
    };
    Object.assign(client, { query: counting });
  });
});

/** Statements from here until the job's work is committed that `reached` tells of, and until the job has ended. */
async function cost(name: string, reached: string | null = null): Promise<{ reached: number; all: number }> {
  const job = world.queues.take(name);
  const { queues } = world;
  const enqueue = queues.enqueue.bind(queues);
  let until = 0;
  queues.enqueue = (next, payload, options) => {
    if (next.name === reached && until === 0) until = statements;
    return enqueue(next, payload, options);
  };
  statements = 0;
  await world.queues.run(job!);
  queues.enqueue = enqueue;
  return { reached: until, all: statements };
}

it('takes a few round trips from push to offer, from image to allocation, and from healthy to serving', async () => {
  for (const round of ['first', 'next']) {
    await push(world, project);
    expect((await cost(advanceBuild.name)).all, `${round}: push to offer`).toBeLessThanOrEqual(9);
    await world.queues.drain();
    const claimed = (await agent.claim())!;
    await world.queues.drain();
    await agent.finish(claimed);
    const released = await cost(advanceBuild.name, advanceRollout.name);
    expect(released.reached, `${round}: image to rollout`).toBeGreaterThan(0);
    // The secrets of the environment are held before the intent, whether it names some or not.
    expect(released.reached, `${round}: image to rollout`).toBeLessThanOrEqual(16);
    const placed = await cost(advanceRollout.name);
    // Fifteen to the commit; then it looks again, and records what it waits for.
    expect(placed.all, `${round}: rollout to allocation`).toBeLessThanOrEqual(15 + 9);
    await world.queues.drain();
    await agent.converge();
    const served = await cost(advanceRollout.name);
    expect(served.all, `${round}: healthy to serving, reported and all`).toBeLessThanOrEqual(30);
    for (let count = 0; count < 2; count++) {
      await agent.converge();
      await world.queues.drain();
    }
  }
});
