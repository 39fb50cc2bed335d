/** Everything that writes to what is deployed, recorded: no transaction goes back in the order of prisma/store/locks.ts. */
import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { advanceRollout } from '../platform/queue/jobs.ts';
import { transaction } from '../prisma/client.ts';
import { removeEnvironment } from '../prisma/store/environment-removal.ts';
import { removeNode, setCordon } from '../prisma/store/registration.ts';
import { setSecret } from '../prisma/store/secret-changes.ts';
import { buildAll, convergeAll, deploy, makeAgent, push, resolved, type PlayedAgent } from '../test/worker/play.ts';
import { useProject, useWorld } from '../test/worker/suite.ts';

/** As prisma/store/locks.ts has it; those of one line may be taken in any order, and those of a later line never before. */
const order = [
  ['Repository'],
  ['Project'],
  ['secrets'],
  ['Intent'],
  ['Service'],
  ['placement'],
  ['subnets'],
  ['offers'],
  ['Build'],
  ['WorkItem'],
  ['Node'],
  ['Allocation', 'Rollout'],
  ['CheckRun', 'GithubDeployment', 'OutboxWrite'],
];
const rankOf = (lock: string): number => order.findIndex((line) => line.includes(lock));

const advisory: Record<string, string> = {
  [String(0x91ace)]: 'placement',
  [String(0x5b7e)]: 'subnets',
  [String(0x0ffe4)]: 'offers',
};

/** What a statement waits for, in the order in which it names it. */
function locksOf(text: string, values: readonly unknown[]): string[] {
  if (text.includes('pg_advisory_xact_lock')) {
    if (text.includes('hashtextextended')) return ['secrets'];
    return [advisory[String(values[0])] ?? ''];
  }
  const found = [...text.matchAll(/UPDATE\s+(?:"public"\.)?"(\w+)"|DELETE FROM\s+(?:"public"\.)?"(\w+)"/g)].map(
    (match) => ({
      at: match.index,
      name: match[1] ?? match[2] ?? '',
    }),
  );
  for (const match of text.matchAll(/FOR (?:NO KEY )?UPDATE/g)) {
    const of = /^ OF "(\w+)"/.exec(text.slice(match.index + match[0].length));
    const tables = [...text.slice(0, match.index).matchAll(/FROM "(\w+)"/g)];
    found.push({ at: match.index, name: of?.[1] ?? tables.at(-1)?.[1] ?? '' });
  }
  return found.sort((a, b) => a.at - b.at).map(({ name }) => name);
}

const world = useWorld();
const project = useProject(world);
const transactions: string[][] = [];

function record(client: PoolClient): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  let locks: string[] | null = null;
  const recording = (...args: unknown[]): unknown => {
    const [first, second] = args as [string | { text: string; values?: unknown[] }, unknown[]?];
    const text = typeof first === 'string' ? first : first.text;
    const values = (typeof first === 'string' ? second : (first.values ?? second)) ?? [];
    if (/^BEGIN/i.test(text)) locks = [];
    else if (/^(COMMIT|ROLLBACK)/i.test(text)) {
      if (locks !== null) transactions.push(locks);
      locks = null;
    } else if (locks !== null) locks.push(...locksOf(text, values));
    else transactions.push(locksOf(text, values));
    return query(...args);
  };
  Object.assign(client, { query: recording });
}

beforeAll(() => {
  const known = new WeakSet<PoolClient>();
  world.database.pool.on('acquire', (client) => {
    if (known.has(client)) return;
    known.add(client);
    record(client);
  });
});

async function setToken(value: string): Promise<void> {
  const environment = await world.database.db.environment.findFirstOrThrow({ where: { projectId: project.id } });
  const secret = { id: randomUUID(), environmentId: environment.id, service: '', name: 'TOKEN', setBy: 'ada' };
  const valueSealed = new Uint8Array(Buffer.from(value));
  const { wakes } = await transaction(world.database, (tx) =>
    setSecret(tx, { ...secret, valueSealed, at: world.now() }),
  );
  for (const { id, factsVersion } of wakes)
    await world.queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
  await world.queues.drain();
}

/** While a service of it serves, and a build is under way for it. */
async function removeStaging(agents: PlayedAgent[]): Promise<void> {
  const environment = 'staging';
  await deploy(world, project, agents, { environment, services: [resolved('web'), resolved('api')] });
  await push(world, project, { environment });
  for (const agent of agents) await agent.beat();
  await world.queues.drain();
  const { id } = await world.database.db.environment.findFirstOrThrow({ where: { name: environment } });
  const context = { consoleUrl: world.deps.consoleUrl, now: world.now() };
  await transaction(world.database, (tx) => removeEnvironment(tx, { id, actor: 'ada' }, context));
  await world.sweep();
  await world.queues.drain();
}

/** Kinds in the order in which the transaction first waited for each. */
const firsts = (locks: string[]): string[] => [...new Set(locks)].filter((lock) => rankOf(lock) !== -1);

it('takes locks in one order, whatever is done', async () => {
  const [one, two] = [await makeAgent(world), await makeAgent(world)];
  const secrets = ['TOKEN'];
  await deploy(world, project, [one, two], { services: [resolved('web'), resolved('api')] });
  await setToken('first');
  await deploy(world, project, [one, two], { services: [resolved('web', { secrets }), resolved('other')] });
  await setToken('second');
  // Replaced before it is built, before it is healthy, and by another value.
  await push(world, project);
  await push(world, project, { services: [resolved('web', { secrets })] });
  await buildAll(world, [one, two]);
  await setToken('third');
  await push(world, project, { services: [resolved('web', { secrets })] });
  await buildAll(world, [one, two]);
  await convergeAll(world, [one, two]);
  await removeStaging([one, two]);
  await transaction(world.database, (tx) => setCordon(tx, one.id, world.now()));
  await transaction(world.database, (tx) => removeNode(tx, two.id, world.now()));
  await transaction(world.database, (tx) => setCordon(tx, one.id, null));
  await world.sweep();
  await convergeAll(world, [one]);
  world.clock.aheadMs += 120_000;
  await world.sweep();
  await world.queues.drain();

  const stages = await world.database.db.rollout.groupBy({ by: ['stage'] });
  expect(stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['running', 'stopped']));
  const all = transactions.map(firsts);
  for (const lock of ['Intent', 'Service', 'placement', 'secrets', 'Node', 'Rollout'])
    expect(all.filter((locks) => locks.length > 1 && locks.includes(lock)).length, lock).toBeGreaterThan(0);
  const wrong = all.filter((locks) =>
    locks.some((lock, index) => index > 0 && rankOf(lock) < rankOf(locks[index - 1]!)),
  );
  expect([...new Set(wrong.map((locks) => locks.join(' → ')))]).toEqual([]);
});
