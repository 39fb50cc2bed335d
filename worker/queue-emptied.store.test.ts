/** P19: the queue may be emptied at any point; what the rows call for is derived from them again. */
import { afterAll, describe, expect, it } from 'vitest';
import { openQueues } from '../platform/queue/queues.ts';
import { emptyQueueTables } from '../test/store/database.ts';
import { startRedis } from '../test/store/redis.ts';
import { useForAll } from '../test/suite.ts';
import { counted, oneDeploy, push } from '../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../test/worker/suite.ts';
import { startWorldOn } from '../test/worker/world.ts';

describe('a queue that is emptied after every job', () => {
  const world = useWorld();
  const agent = useAgent(world);
  const project = useProject(world);

  /** Each job runs on what the sweep derived alone: nothing that it enqueues is kept. */
  async function crawl(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      world.queues.obliterate();
      await world.sweep();
      const derived = [...world.queues.jobs];
      for (const job of derived) {
        world.queues.obliterate();
        await world.queues.run(job);
      }
    }
  }

  it('P19: loses nothing and makes nothing twice', async () => {
    await push(world, project);
    await crawl();
    const claimed = (await agent.claim())!;
    await crawl();
    await agent.finish(claimed);
    await crawl();
    expect(await agent.expected()).toHaveLength(1);
    await agent.converge({ observed: 'created', health: 'none' });
    await crawl();
    await agent.converge();
    await crawl();
    await crawl();
    expect(await counted(world, project)).toEqual(oneDeploy);
    expect(world.queues.outcomes).toEqual([]);
  });
});

interface QueueServer {
  /** Gives the URL of the queue, given the database's. */
  url: (databaseUrl: string) => string;
  empty: (databaseUrl: string) => Promise<void>;
  stop: () => Promise<void>;
}

function onPostgres(): Promise<QueueServer> {
  return Promise.resolve({ url: (databaseUrl) => databaseUrl, empty: emptyQueueTables, stop: () => Promise.resolve() });
}

async function onRedis(): Promise<QueueServer> {
  const redis = await startRedis();
  return { url: () => redis.url, empty: () => redis.flush(), stop: () => redis.stop() };
}

describe.each([
  { name: 'PostgreSQL', start: onPostgres },
  { name: 'Redis', start: onRedis },
])('a real queue on $name', ({ start }) => {
  const server = useForAll(start);
  afterAll(() => server.stop());
  const world = useWorld(() => startWorldOn((url) => openQueues(server.url(url))));
  const agent = useAgent(world);
  const project = useProject(world);

  async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
    for (;;) {
      const value = await read();
      if (holds(value)) return value;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function claimed() {
    return (await until(
      () => agent.claim(),
      (value) => value !== null,
    ))!;
  }

  it('P09: carries a push to serving, and tells GitHub', async () => {
    await push(world, project);
    await agent.finish(await claimed());
    await until(
      () => agent.expected(),
      (all) => all.length > 0,
    );
    await agent.converge();
    const done = await until(
      () => counted(world, project),
      ({ checkRuns }) => checkRuns[0] === 'success',
    );
    expect(done).toMatchObject({ ...oneDeploy, statuses: expect.arrayContaining(['success']) as string[] });
  });

  it('P19: is emptied at every turn, and ends the same with the sweep', async () => {
    await agent.converge();
    const empty = async (): Promise<void> => {
      await server.empty(world.database.url);
      await world.sweep();
    };
    await push(world, project);
    await empty();
    const claim = await claimed();
    await empty();
    await agent.finish(claim);
    await empty();
    await until(
      () => counted(world, project),
      ({ allocations }) => allocations > 0,
    );
    await empty();
    await agent.converge();
    await empty();
    await until(
      () => counted(world, project),
      ({ rollouts }) => rollouts[0] === 'running',
    );
    await empty();
    const done = await until(
      () => counted(world, project),
      ({ checkRuns }) => checkRuns[0] === 'success',
    );
    expect(done).toMatchObject({ ...oneDeploy, statuses: expect.arrayContaining(['success']) as string[] });
    expect(new Set(done.statuses).size).toBe(done.statuses.length);
  });
});
