/** P04: what the expected state of a node leaves out is told by its rollout, by that very name, where its person looks. */
import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { encrypt, type MasterKeys } from '../../platform/crypto/envelope.ts';
import { transaction } from '../../prisma/client.ts';
import { readLeftOut } from '../../prisma/store/left-out.ts';
import { setSecret } from '../../prisma/store/secret-changes.ts';
import { buildAll, convergeAll, deploy, push, resolved } from '../../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);
let environmentId: string;

beforeEach(async () => {
  const data = { projectId: project.id, name: 'production' };
  ({ id: environmentId } = await world.database.db.environment.create({ data }));
});

const withToken = { services: [resolved('web', { secrets: ['TOKEN'] })] };

interface Sealing {
  masterKeys?: MasterKeys;
  /** What its envelope is bound to. */
  boundTo?: string;
}

async function setToken({ masterKeys = world.deps.masterKeys, boundTo }: Sealing = {}): Promise<void> {
  const id = randomUUID();
  const place = { table: 'Secret', column: 'valueSealed', id: boundTo ?? id };
  const valueSealed = encrypt(masterKeys, Buffer.from('value'), place);
  const secret = { id, environmentId, service: '', name: 'TOKEN', valueSealed, setBy: 'ada', at: world.now() };
  await transaction(world.database, (tx) => setSecret(tx, secret));
  await world.queues.drain();
}

/** Time passes; the agent goes on reporting what it has. */
async function pass(ms: number): Promise<void> {
  world.clock.aheadMs += ms;
  await agent.beat();
  await world.sweep();
  await world.queues.drain();
}

const rolloutOf = (intentId: string) =>
  world.database.db.rollout.findFirstOrThrow({
    where: { intentId },
    include: { events: { orderBy: { id: 'asc' } }, allocations: { include: { node: true } } },
  });

const checkRunOf = (intentId: string) =>
  world.sandbox.state.checkRuns.filter(({ externalId }) => externalId === `intent:${intentId}`)[0];

const leftOut = async () => {
  const mine = await world.database.db.service.findMany({ where: { environmentId } });
  const all = await readLeftOut(world.database.db, world.deps);
  return all.filter(({ serviceId }) => mine.some(({ id }) => id === serviceId));
};

/** What GitHub, console and CLI show of a rollout that has failed. */
async function told(intentId: string, { code, message }: { code: string; message: string }): Promise<void> {
  const rollout = await rolloutOf(intentId);
  const reason = expect.stringContaining(message) as string;
  expect(rollout).toMatchObject({ stage: 'failed', reasonCode: code, reason });
  expect(rollout.events.at(-1)).toMatchObject({ toStage: 'failed', reasonCode: code, message: reason });
  expect(rollout.allocations).toMatchObject([{ desired: 'stopped' }]);
  const intent = await world.database.db.intent.findUniqueOrThrow({ where: { id: intentId } });
  expect(intent).toMatchObject({ status: 'failed', reasonCode: code, reason });
  const run = checkRunOf(intentId);
  expect(run).toMatchObject({ conclusion: 'failure' });
  const summary = run?.output.summary?.replaceAll('\\', '');
  expect(summary).toContain(message);
  expect(summary).not.toContain('Without the image');
}

describe('P04: a rollout whose replica is left out', () => {
  it('fails at once with a secret that was changed in the database', async () => {
    await setToken({ boundTo: randomUUID() });
    const intentId = await push(world, project, withToken);
    await buildAll(world, [agent]);
    await told(intentId, { code: 'secret_damaged', message: 'its secrets were changed or moved: TOKEN.' });
  });

  it('fails at once with a secret that is missing', async () => {
    await setToken();
    const intentId = await push(world, project, withToken);
    await buildAll(world, [agent]);
    const { releaseId, stage } = await rolloutOf(intentId);
    expect([stage, await leftOut()]).toEqual(['pulling', []]);
    await world.database.db.releaseSecret.deleteMany({ where: { releaseId } });
    await pass(0);
    await told(intentId, { code: 'secret_missing', message: 'its secrets are missing: TOKEN.' });
  });

  it('names the master key that is not here while it waits for it, and then fails with that', async () => {
    await setToken({ masterKeys: { keys: [randomBytes(32)] } });
    const intentId = await push(world, project, withToken);
    await buildAll(world, [agent]);
    const waiting = await rolloutOf(intentId);
    const node = waiting.allocations[0]?.node.name;
    const message = `its secrets are encrypted under a master key that is not here: TOKEN.`;
    expect(waiting).toMatchObject({ stage: 'pulling', reason: `Replica 0 on ${node}: ${message}` });
    await pass(5_000);
    await pass(5_000);
    const again = await rolloutOf(intentId);
    expect([again.version, again.events.length]).toEqual([waiting.version, waiting.events.length]);
    await pass(6_000);
    await told(intentId, { code: 'master_key_missing', message });
  });

  it('goes on when the key comes in time', async () => {
    const missing = randomBytes(32);
    await setToken({ masterKeys: { keys: [missing] } });
    const intentId = await push(world, project, withToken);
    await buildAll(world, [agent]);
    const before = world.deps.masterKeys;
    world.deps.masterKeys = { keys: [...before.keys, missing] };
    await convergeAll(world, [agent]);
    expect((await rolloutOf(intentId)).stage).toBe('running');
    world.deps.masterKeys = before;
  });

  it('fails at once with an address that is none of its node', async () => {
    const intentId = await push(world, project);
    await buildAll(world, [agent]);
    await world.database.db.allocation.updateMany({ where: { rollout: { intentId } }, data: { ip: '10.9.9.9' } });
    await pass(0);
    await told(intentId, { code: 'address_foreign', message: '10.9.9.9 is not an address of its node.' });
  });
});

it('P04: what runs already and is left out is told, and left running', async () => {
  await setToken();
  const intentId = await deploy(world, project, [agent], withToken);
  const [allocation] = (await rolloutOf(intentId)).allocations;
  const before = world.deps.masterKeys;
  world.deps.masterKeys = { keys: [randomBytes(32)] };
  expect(await leftOut()).toMatchObject([
    { allocationId: allocation?.id, serviceName: 'web', nodeId: agent.id, code: 'master_key_missing' },
  ]);
  await pass(60_000);
  expect(await rolloutOf(intentId)).toMatchObject({ stage: 'running', allocations: [{ desired: 'running' }] });
  world.deps.masterKeys = before;
});
