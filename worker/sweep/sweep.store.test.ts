import { beforeEach, describe, expect, it } from 'vitest';
import { keptMs } from '../../core/retention/policy.ts';
import { advanceBuild, flushOutbox, processDelivery } from '../../platform/queue/jobs.ts';
import { outcomeOf } from '../../platform/queue/outcome.ts';
import { makeProject, push, type Project } from '../../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../../test/worker/suite.ts';
import { type World } from '../../test/worker/world.ts';
import { sweep } from './sweep.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);

beforeEach(async () => {
  const { db } = world.database;
  // What the test before left unfinished.
  const finishedAt = world.now();
  await db.workItem.updateMany({ data: { status: 'expired' } });
  await db.build.updateMany({ where: { finishedAt: null }, data: { status: 'cancelled', finishedAt } });
  await db.rollout.updateMany({ where: { finishedAt: null }, data: { stage: 'stopped', finishedAt } });
  await db.intent.updateMany({ where: { finishedAt: null }, data: { status: 'cancelled', finishedAt } });
  await db.outboxWrite.updateMany({ data: { status: 'sent' } });
  await db.delivery.deleteMany();
  world.queues.obliterate();
});

function ago(milliseconds: number): Date {
  return new Date(world.now().getTime() - milliseconds);
}

async function deliver(guid: string, receivedAt: Date, status: 'received' | 'processed' = 'received'): Promise<void> {
  const data = { guid, event: 'push', payload: new Uint8Array(), receivedAt, status };
  await world.database.db.delivery.create({ data });
}

describe('the sweep', () => {
  it('asks for the same job however often it runs', async () => {
    await push(world, project);
    world.queues.obliterate();
    for (let round = 0; round < 3; round++) await world.sweep();
    const names = world.queues.jobs.map(({ job }) => job.name);
    expect(names.toSorted()).toEqual([advanceBuild.name, flushOutbox.name]);
  });

  it('leaves a delivery that has just arrived to the intake, and takes up one that was forgotten', async () => {
    await deliver('fresh', world.now());
    await deliver('forgotten', ago(10_000));
    await deliver('done', ago(10_000), 'processed');
    await world.sweep();
    const guids = world.queues.jobs
      .filter(({ job }) => job.name === processDelivery.name)
      .map(({ payload }) => payload);
    expect(guids).toEqual([{ guid: 'forgotten' }]);
  });

  it('P20: goes on behind an intent that cannot be settled, and says so', async () => {
    const built = async (each: Project): Promise<string> => {
      const id = await push(world, each);
      await world.queues.drain();
      const claimed = (await agent.claim())!;
      await world.queues.drain();
      await agent.finish(claimed);
      world.queues.obliterate();
      return id;
    };
    const stuck = await built(project);
    const other = await built(await makeProject(world));
    const consoleUrl = (id: string): string => {
      if (id === stuck) throw new Error('no page for this one');
      return world.deps.consoleUrl(id);
    };
    await expect(sweep({ ...world.deps, consoleUrl })).rejects.toThrow('Steps of the sweep failed: intents.');
    expect(await world.database.db.rollout.count({ where: { intentId: other } })).toBe(1);
  });

  it('takes every step though one before it fails, and is not put off by it', async () => {
    await push(world, project);
    world.queues.obliterate();
    const enqueue: World['queues']['enqueue'] = (job, payload, options) =>
      job.name === advanceBuild.name
        ? Promise.reject(new Error('not this one'))
        : world.queues.enqueue(job, payload, options);
    const error = await sweep({ ...world.deps, queues: { ...world.queues, enqueue } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(outcomeOf(error, 1)).toMatchObject({ kind: 'fail', message: 'Steps of the sweep failed: builds.' });
    expect(world.queues.jobs.map(({ job }) => job.name)).toEqual([flushOutbox.name]);
  });

  it('deletes what is older than it is kept, and nothing that is still owed', async () => {
    const { db } = world.database;
    const { installationId } = project;
    const row = { installationId, subject: 's', kind: 'createCheckRun', payload: {} };
    const old = ago(keptMs.outbox + 1_000);
    await db.outboxWrite.createMany({
      data: [
        { ...row, key: 'sent long ago', status: 'sent', createdAt: old },
        { ...row, key: 'owed long ago', status: 'pending', createdAt: old, notBefore: ago(-1_000_000) },
        { ...row, key: 'sent just now', status: 'sent' },
      ],
    });
    await db.nonce.createMany({
      data: [
        { nodeId: agent.id, nonce: 'old', at: ago(keptMs.nonces + 1_000) },
        { nodeId: agent.id, nonce: 'new', at: world.now() },
      ],
    });
    await world.sweep();
    const keys = await db.outboxWrite.findMany({ where: { subject: 's' }, orderBy: { key: 'asc' } });
    expect(keys.map(({ key }) => key)).toEqual(['owed long ago', 'sent just now']);
    expect(await db.nonce.findMany({ where: { nodeId: agent.id } })).toMatchObject([{ nonce: 'new' }]);
  });
});
