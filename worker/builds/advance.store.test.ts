import { afterEach, describe, expect, it } from 'vitest';
import { nextBuildStep } from '../../core/build/decide.ts';
import { sourceTokenContext } from '../../core/contract/sealing.ts';
import { importPrivateKey } from '../../platform/crypto/keys.ts';
import { open } from '../../platform/crypto/sealing.ts';
import { advanceBuild } from '../../platform/queue/jobs.ts';
import { transaction } from '../../prisma/client.ts';
import { intentResources } from '../../prisma/store/intent-resources.ts';
import { appendLog } from '../../prisma/store/logs.ts';
import { removeRepositories } from '../../prisma/store/repositories.ts';
import { workOffers } from '../../prisma/store/work-items.ts';
import { buildAll, convergeAll, deploy, makeProject, push, resolved } from '../../test/worker/play.ts';
import { useAgents, useProject, useWorld } from '../../test/worker/suite.ts';
import { driveBuild } from './advance.ts';

const world = useWorld();
const project = useProject(world);
const { agents, agent } = useAgents(world);

afterEach(async () => {
  world.sandbox.faults.clear();
  world.queues.obliterate();
  world.queues.outcomes.length = 0;
  await endEverything();
});

/** What one test leaves is not taken up by the next one's nodes. */
async function endEverything(): Promise<void> {
  const { db } = world.database;
  await db.node.updateMany({ data: { cordonedAt: new Date() } });
  await db.intent.updateMany({ where: { status: 'active' }, data: { status: 'cancelled' } });
  await db.workItem.updateMany({ where: { status: { in: ['offered', 'claimed'] } }, data: { status: 'expired' } });
  await db.build.updateMany({
    where: { status: { in: ['queued', 'offered', 'building'] } },
    data: { status: 'cancelled', finishedAt: new Date() },
  });
}

async function buildOf(intentId: string) {
  const { build } = await world.database.db.intentBuild.findFirstOrThrow({
    where: { intentId },
    include: { build: { include: { workItems: { orderBy: { attempt: 'asc' } } } } },
  });
  return build;
}

function intentOf(id: string) {
  return world.database.db.intent.findUniqueOrThrow({ where: { id } });
}

async function pass(milliseconds: number): Promise<void> {
  world.clock.aheadMs += milliseconds;
  for (const each of agents) await each.beat();
}

async function look(): Promise<void> {
  await world.sweep();
  await world.queues.drain();
}

describe('an offer', () => {
  it('goes to a node that can build, which is woken', async () => {
    const builder = await agent();
    const before = await world.database.db.node.findUniqueOrThrow({ where: { id: builder.id } });
    const intentId = await push(world, project);
    await world.queues.drain();
    const build = await buildOf(intentId);
    expect(build).toMatchObject({ status: 'offered', attempt: 1 });
    expect(build.imageName).toBe(`127.0.0.1:7782/landfall/${project.repositoryId}/web`);
    expect(build.workItems).toMatchObject([{ nodeId: builder.id, attempt: 1, status: 'offered' }]);
    const after = await world.database.db.node.findUniqueOrThrow({ where: { id: builder.id } });
    expect(after.generation).toBe(before.generation + 1);
  });

  it('spreads builds that are asked for at once', async () => {
    const [one, two] = [await agent(), await agent()];
    const intentId = await push(world, project, { services: [resolved('web'), resolved('api')] });
    world.queues.obliterate();
    const builds = await world.database.db.intentBuild.findMany({ where: { intentId } });
    await Promise.all(builds.map(({ buildId }) => driveBuild(world.deps, buildId)));
    for (const each of [one, two]) expect(await workOffers(world.database.db, each.id)).toHaveLength(1);
  });

  it('waits with its reason where no node can build, and is made when one comes', async () => {
    const full = await agent({ resources: { diskFreeBytes: 1e6 } });
    const intentId = await push(world, project);
    await world.queues.drain();
    const build = await buildOf(intentId);
    expect(build).toMatchObject({ status: 'queued', reasonCode: 'no_build_node' });
    expect(build.reason).toContain('too little disk');
    expect((await intentOf(intentId)).status).toBe('active');
    await pass(60_000);
    await look();
    expect((await buildOf(intentId)).version).toBe(build.version);
    const roomyAgent = await agent();
    await look();
    expect((await buildOf(intentId)).workItems).toMatchObject([{ nodeId: roomyAgent.id, status: 'offered' }]);
    expect(await workOffers(world.database.db, full.id)).toEqual([]);
  });

  it('is told at GitHub when it has waited for a node in vain, and given up when nobody has come for it', async () => {
    const intentId = await push(world, project);
    // Rows are dated by the database, whose clock the tests before did not set ahead.
    const { id } = await buildOf(intentId);
    await world.database.db.build.update({ where: { id }, data: { createdAt: world.deps.now() } });
    await world.queues.drain();
    const waiting = async () => (await buildOf(intentId)).reasonCode;
    expect(await waiting()).toBe('no_build_node');
    const told = () => world.database.db.outboxWrite.findMany({ where: { key: `intent:${intentId}:check:live` } });
    expect(await told()).toEqual([]);
    await pass(25_000);
    await look();
    expect(JSON.stringify((await told()).map(({ payload }) => payload))).toContain('No node can build just now.');
    const [shown] = await intentResources(world.database.db, { limit: 1 }, () => 'http://console');
    expect(shown).toMatchObject({ id: intentId, status: 'active', reasonCode: 'no_build_node' });
    await pass(3_500_000);
    await look();
    expect(await waiting()).toBe('no_build_node');
    expect((await intentOf(intentId)).status).toBe('active');
    await pass(100_000);
    await look();
    expect(await buildOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'no_build_node' });
    expect(await intentOf(intentId)).toMatchObject({
      status: 'failed',
      reasonCode: 'no_build_node',
      reason: expect.stringMatching(/Given up after 1 h\. No node can build just now\./) as string,
    });
  });

  it('asks for one look while it waits, however often it is looked at', async () => {
    await agent({ resources: { diskFreeBytes: 1e6 } });
    const intentId = await push(world, project);
    await world.queues.drain();
    const { id } = await buildOf(intentId);
    for (let round = 0; round < 5; round++) await driveBuild(world.deps, id);
    const waiting = world.queues.jobs.filter(({ job }) => job.name === advanceBuild.name);
    // Two when the clock passed a mark meanwhile.
    expect([1, 2]).toContain(waiting.length);
  });

  it('P04: a node whose report cannot be read is left out, and the rest goes on', async () => {
    const broken = await agent();
    const { db } = world.database;
    await db.node.update({ where: { id: broken.id }, data: { capabilities: { a: 1 }, resources: 'none' } });
    const builder = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    expect((await buildOf(intentId)).workItems).toMatchObject([{ nodeId: builder.id }]);
  });
});

describe('a node with one slot', () => {
  async function oneSlot() {
    const builder = await agent({ buildSlots: 1 });
    const services = ['one', 'three', 'two'].map((name) => resolved(name));
    const intentId = await push(world, project, { services });
    return { builder, intentId };
  }
  const ofIntent = async (intentId: string) => {
    const rows = await world.database.db.intentBuild.findMany({
      where: { intentId },
      orderBy: { service: 'asc' },
      include: { build: { include: { workItems: { orderBy: { attempt: 'asc' } } } } },
    });
    return rows.map(({ build }) => build);
  };

  it('is offered one build at a time; the others wait with that reason, however long it takes, and all of them land', async () => {
    const { builder, intentId } = await oneSlot();
    await world.queues.drain();
    expect(await workOffers(world.database.db, builder.id)).toHaveLength(1);
    const claimed = (await builder.claim())!;
    await world.queues.drain();
    for (let round = 0; round < 10; round++) {
      await pass(15_000);
      await builder.renew(claimed);
      await look();
    }
    const [, second, third] = await ofIntent(intentId);
    expect([second, third]).toMatchObject([
      { status: 'queued', reasonCode: 'builders_busy', attempt: 0, workItems: [] },
      { status: 'queued', reasonCode: 'builders_busy', attempt: 0, workItems: [] },
    ]);
    expect(second?.reason).toMatch(
      /^Waiting for a free builder; it is the next\. .*node-\d+: The node makes as many builds/,
    );
    expect(third?.reason).toContain('1 waited longer');
    await builder.finish(claimed);
    const claims = [claimed];
    for (let count = 1; count < 3; count++) {
      // Only what the end of the one before has woken: neither a sweep nor time.
      await world.queues.drain();
      const next = (await builder.claim())!;
      claims.push(next);
      await builder.finish(next);
    }
    await world.queues.drain();
    const builds = await ofIntent(intentId);
    expect(builds.map(({ status, attempt }) => [status, attempt])).toEqual(builds.map(() => ['succeeded', 1]));
    expect(builds.map(({ workItems }) => workItems[0]?.id)).toEqual(claims.map(({ id }) => id));
    expect(await world.database.db.rollout.count({ where: { intentId } })).toBe(3);
  });

  it('is given to the build that has waited the longest, whoever looks first', async () => {
    const { builder, intentId } = await oneSlot();
    const builds = await ofIntent(intentId);
    world.queues.obliterate();
    const last = builds
      .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
      .at(-1)!;
    await driveBuild(world.deps, last.id);
    const [first, ...others] = await ofIntent(intentId);
    expect(first?.workItems).toMatchObject([{ nodeId: builder.id, status: 'offered' }]);
    expect(others.map(({ status, reasonCode }) => [status, reasonCode])).toEqual([
      ['queued', null],
      ['queued', 'builders_busy'],
    ]);
  });

  it('P20: is not kept from others by a build that cannot be moved', async () => {
    const { intentId } = await oneSlot();
    const [broken, next, last] = await ofIntent(intentId);
    world.queues.obliterate();
    const { db } = world.database;
    // No attempt can follow this one.
    const other = await agent({ buildSlots: 0 });
    const spent = { buildId: broken!.id, nodeId: other.id, attempt: 2_147_483_647 };
    await db.workItem.create({ data: { ...spent, kind: 'build', payload: {}, status: 'cancelled' } });
    await driveBuild(world.deps, last!.id);
    expect((await ofIntent(intentId)).map(({ status }) => status)).toEqual(['queued', 'offered', 'queued']);
    expect(next?.workItems).toEqual([]);
  });

  it('that lets offers run out is passed over for a while, and no attempt is counted', async () => {
    const lazy = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    await pass(31_000);
    await look();
    const waiting = await buildOf(intentId);
    expect(waiting).toMatchObject({ status: 'queued', reasonCode: 'builders_busy' });
    expect(waiting.reason).toContain('did not take the last build');
    expect(waiting.workItems.map(({ status }) => status)).toEqual(['expired']);
    const busy = await agent();
    await look();
    expect((await buildOf(intentId)).workItems.at(-1)).toMatchObject({
      nodeId: busy.id,
      attempt: 2,
      status: 'offered',
    });
    for (let round = 0; round < 10; round++) {
      await pass(45_000);
      await look();
    }
    const still = await buildOf(intentId);
    expect(['queued', 'offered']).toContain(still.status);
    expect(still.workItems.length).toBeGreaterThan(3);
    await pass(600_000);
    await look();
    const claimed = (await lazy.claim()) ?? (await busy.claim());
    await world.queues.drain();
    const fails = {
      kind: 'failed',
      code: 'builder_unavailable',
      message: 'gone',
      annotations: [],
      logTail: [],
    } as const;
    const holder = (await buildOf(intentId)).workItems.at(-1)?.nodeId === lazy.id ? lazy : busy;
    expect(await holder.finish(claimed!, { ...fails, annotations: [], logTail: [] })).toBe(true);
    await world.queues.drain();
    // The first that was claimed: two are left.
    expect((await buildOf(intentId)).status).toBe('offered');
  });
});

describe('a lease', () => {
  it('that runs out gives the next attempt to another node; a late finish is refused', async () => {
    const [one, two] = [await agent(), await agent()];
    const intentId = await push(world, project);
    await world.queues.drain();
    const first = (await one.claim()) ? one : two;
    const other = first === one ? two : one;
    const claimed = { id: (await buildOf(intentId)).workItems[0]!.id, attempt: 1 };
    if (first === two) await two.claim();
    await world.queues.drain();
    expect((await buildOf(intentId)).status).toBe('building');
    await pass(20_000);
    expect(await first.renew(claimed)).not.toBeNull();
    await pass(20_000);
    await look();
    expect((await buildOf(intentId)).attempt).toBe(1);
    await pass(20_000);
    await look();
    const build = await buildOf(intentId);
    expect(build).toMatchObject({ status: 'offered', attempt: 2 });
    expect(build.workItems.map(({ status, nodeId }) => [status, nodeId])).toEqual([
      ['expired', first.id],
      ['offered', other.id],
    ]);
    expect(build.workItems[0]?.credentialSealed).toBeNull();
    expect(await first.finish(claimed)).toBe(false);
    expect(await first.renew(claimed)).toBeNull();
    const again = await other.claim();
    expect(again).toMatchObject({ attempt: 2 });
    expect(await other.finish(again!)).toBe(true);
    await world.queues.drain();
    expect((await buildOf(intentId)).status).toBe('succeeded');
  });

  it('is lost at most three times; then the build has failed with that reason', async () => {
    const builder = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    for (const attempt of [1, 2, 3]) {
      expect(await builder.claim()).toMatchObject({ attempt });
      await world.queues.drain();
      await pass(33_000);
      await look();
    }
    const build = await buildOf(intentId);
    expect(build).toMatchObject({ status: 'failed', reasonCode: 'builder_lost' });
    expect(build.workItems.map(({ status }) => status)).toEqual(['expired', 'expired', 'expired']);
    expect(await intentOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'builder_lost' });
  });

  it('that is claimed while it is taken for lost stays with its node', async () => {
    const [builder] = [await agent(), await agent()];
    const intentId = await push(world, project);
    await world.queues.drain();
    await pass(31_000);
    world.queues.obliterate();
    const { id } = await buildOf(intentId);
    // The claim is committed after the step was decided on what was read, and before it is written.
    const first = (await workOffers(world.database.db, builder.id)).length === 1 ? builder : agents[1]!;
    const [claimed] = await Promise.all([first.claim(), driveBuild(world.deps, id)]);
    const build = await buildOf(intentId);
    const live = build.workItems.filter(({ status }) => status === 'offered' || status === 'claimed');
    expect(live).toHaveLength(1);
    expect(build.attempt).toBe(live[0]?.attempt);
    expect(claimed === null).toBe(live[0]?.attempt === 2);
  });

  it('a build that never ends is cancelled at its limit, and failed when its node does not heed it', async () => {
    const builder = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    const claimed = (await builder.claim())!;
    await world.queues.drain();
    const until = world.now().getTime() + 16 * 60_000 + 30_000;
    while (world.now().getTime() < until) {
      await pass(29_000);
      await builder.renew(claimed);
      await look();
    }
    const build = await buildOf(intentId);
    const row = { id: build.id, status: build.status, timeoutMs: 15 * 60_000 };
    expect(build).toMatchObject({ status: 'failed', reasonCode: 'timed_out' });
    expect(nextBuildStep(row, build.workItems, world.now()).kind).toBe('finished');
    expect(build.workItems[0]).toMatchObject({ status: 'expired', cancelCode: 'timed_out' });
    expect(await intentOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'timed_out' });
  });
});

it('a build that heeds its cancellation at its limit has failed, too', async () => {
  const builder = await agent();
  const intentId = await push(world, project);
  await world.queues.drain();
  const claimed = (await builder.claim())!;
  await world.queues.drain();
  const { db } = world.database;
  await db.workItem.update({ where: { id: claimed.id }, data: { cancelCode: 'timed_out' } });
  await builder.finish(claimed, { kind: 'cancelled', code: 'timed_out' });
  await world.queues.drain();
  expect(await buildOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'timed_out' });
  expect(await intentOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'timed_out' });
});

describe('an end', () => {
  it('by a newer push: its work is told to stop, and a node that does not heed it holds no place', async () => {
    const builder = await agent();
    const first = await push(world, project);
    await world.queues.drain();
    const claimed = (await builder.claim())!;
    await world.queues.drain();
    const second = await push(world, project);
    await world.queues.drain();
    expect(await buildOf(first)).toMatchObject({ status: 'superseded', reasonCode: 'superseded' });
    expect(await intentOf(first)).toMatchObject({ status: 'superseded' });
    expect(await builder.renew(claimed)).toEqual({ cancelCode: 'superseded' });
    expect((await buildOf(second)).status).toBe('offered');
    await pass(31_000);
    await pass(31_000);
    world.queues.obliterate();
    await look();
    expect((await buildOf(first)).workItems).toMatchObject([{ status: 'expired', credentialSealed: null }]);
  });

  it('P20: of a repository that is removed in mid-build: cancelled with that reason, and the queue moves', async () => {
    const builder = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    const claimed = (await builder.claim())!;
    await world.queues.drain();
    await world.sandbox.deleteRepository({ repositoryId: project.repositoryId });
    await removeRepositories(world.database.db, { ids: [project.repositoryId] }, world.now());
    const other = await makeProject(world);
    const next = await push(world, other);
    await look();
    expect(await buildOf(intentId)).toMatchObject({ status: 'cancelled', reasonCode: 'repository_removed' });
    expect(await intentOf(intentId)).toMatchObject({ status: 'cancelled', reasonCode: 'repository_removed' });
    expect((await intentOf(intentId)).reason).toContain('deleted or taken out');
    expect(await builder.renew(claimed)).toEqual({ cancelCode: 'repository_removed' });
    expect((await buildOf(next)).status).toBe('offered');
    const owed = await world.database.db.outboxWrite.findMany({ where: { subject: `intent:${intentId}` } });
    expect(owed.map(({ status }) => status)).not.toContain('pending');
    await buildAll(world, [builder]);
    expect((await buildOf(next)).status).toBe('succeeded');
  });

  it('P20: a job whose build or rollout was deleted ends with that reason', async () => {
    const gone = '01900000-0000-7000-8000-000000000000';
    await world.queues.enqueue(advanceBuild, { buildId: gone, version: 1 });
    const intentId = await push(world, project);
    await world.queues.drain();
    expect(world.queues.outcomes).toEqual([`subject_gone: The build ${gone} was deleted.`]);
    expect((await buildOf(intentId)).version).toBeGreaterThan(0);
  });

  it('of a build that no intent wants any more, before it is offered', async () => {
    const intentId = await push(world, project);
    const { db } = world.database;
    await db.intent.update({ where: { id: intentId }, data: { status: 'cancelled' } });
    await world.queues.drain();
    expect(await buildOf(intentId)).toMatchObject({ status: 'superseded', workItems: [] });
  });

  it('by a failure ends the intent, and GitHub is told with annotations and the end of the log; what served goes on', async () => {
    const builder = await agent();
    await deploy(world, project, [builder]);
    const [serving] = await builder.expected();
    const intentId = await push(world, project);
    await world.queues.drain();
    const claimed = (await builder.claim())!;
    await world.queues.drain();
    const build = await buildOf(intentId);
    // The log is still on its way: what the check run shows came with the outcome.
    await writeLog(build.id, ['line 0']);
    const logTail = Array.from({ length: 50 }, (_, index) => `line ${30 + index}`);
    const annotations = [{ path: 'Dockerfile', line: 3, endLine: 3, message: 'exit code 1' }];
    const outcome = { kind: 'failed', code: 'step_failed', message: 'RUN make failed' } as const;
    await builder.finish(claimed, { ...outcome, annotations, logTail });
    await world.queues.drain();
    expect(await intentOf(intentId)).toMatchObject({
      status: 'failed',
      reasonCode: 'step_failed',
      reason: 'web: RUN make failed',
    });
    const { state } = world.sandbox;
    const run = state.checkRuns.filter(({ externalId }) => externalId === `intent:${intentId}`);
    expect(run).toMatchObject([{ status: 'completed', conclusion: 'failure' }]);
    expect(run[0]?.annotations).toMatchObject([{ path: 'Dockerfile', start_line: 3, message: 'exit code 1' }]);
    expect(run[0]?.output.text).toContain('line 79');
    expect(run[0]?.output.text).not.toContain('line 0');
    const deployment = state.deployments.filter(({ repositoryId }) => repositoryId === project.repositoryId).at(-1)!;
    const statuses = state.deploymentStatuses.filter(({ deploymentId }) => deploymentId === deployment.id);
    expect(statuses.map((each) => each.state)).toEqual(['in_progress', 'failure']);
    expect(await builder.expected()).toEqual([serving]);
  });
});

async function writeLog(buildId: string, texts: string[]): Promise<void> {
  const lines = texts.map((text) => ({ at: world.now().toISOString(), text, error: false }));
  const batch = { stream: `build:${buildId}`, attempt: 1, offset: 0, lines, end: false, at: world.now() };
  await transaction(world.database, (tx) => appendLog(tx, batch, 1_000_000));
}

const runOf = (intentId: string) =>
  world.sandbox.state.checkRuns.filter(({ externalId }) => externalId === `intent:${intentId}`)[0]!;

describe('the check run', () => {
  it('of a first deploy shows the end of the log while a build takes long', async () => {
    const builder = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    expect(runOf(intentId).output).toMatchObject({ title: 'Deploying to production' });
    const claimed = (await builder.claim())!;
    await world.queues.drain();
    const { id } = await buildOf(intentId);
    await writeLog(id, ['compiling', 'still compiling']);
    await pass(25_000);
    await builder.renew(claimed);
    await driveBuild(world.deps, id);
    await world.queues.drain();
    expect(runOf(intentId)).toMatchObject({ status: 'in_progress', output: { title: 'Building' } });
    expect(runOf(intentId).output.summary).toContain('building for 25.');
    expect(runOf(intentId).output.text).toContain('compiling\nstill compiling');
    await builder.finish(claimed);
    await world.queues.drain();
    await convergeAll(world, [builder]);
    expect(runOf(intentId)).toMatchObject({ status: 'completed', conclusion: 'success' });
    const writes = await world.database.db.outboxWrite.count({ where: { subject: `intent:${intentId}` } });
    expect(writes).toBe(6);
  });

  it('of a build whose node was lost shows what of its log had come', async () => {
    const builder = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    const { id } = await buildOf(intentId);
    await writeLog(id, ['the last that was heard']);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await builder.claim();
      await world.queues.drain();
      await pass(33_000);
      await look();
    }
    expect(runOf(intentId)).toMatchObject({ conclusion: 'failure' });
    expect(runOf(intentId).output.text).toContain('the last that was heard');
  });
});

describe('the token of an attempt', () => {
  it('P62: reads one repository, and opens only for the node that claimed the build', async () => {
    const [builder, other] = [await agent(), await agent()];
    await push(world, project);
    await world.queues.drain();
    const claimed = (await builder.claim()) ?? (await other.claim());
    await world.queues.drain();
    const work = await world.database.db.workItem.findUniqueOrThrow({ where: { id: claimed!.id } });
    const [own, foreign] = work.nodeId === builder.id ? [builder, other] : [other, builder];
    const context = sourceTokenContext({ workItemId: work.id, attempt: 1 });
    const opened = (by: typeof builder): string =>
      open(importPrivateKey('X25519', by.sealing), work.credentialSealed!, context).toString();
    expect(() => opened(foreign)).toThrow();
    const minted = world.sandbox.state.tokens.filter(({ repositoryIds }) => repositoryIds !== null).at(-1);
    expect(minted).toMatchObject({ repositoryIds: [project.repositoryId] });
    expect(minted?.permissions).toMatchObject({ contents: 'read' });
    expect(minted?.permissions).not.toHaveProperty('checks');
    expect(opened(own)).toMatch(/^ghs_/);
  });

  it('that GitHub will never give ends the build with its reason', async () => {
    const builder = await agent();
    const intentId = await push(world, project);
    await world.queues.drain();
    await world.sandbox.suspend({ installationId: project.installationId });
    await builder.claim();
    await world.queues.drain();
    await world.sandbox.unsuspend({ installationId: project.installationId });
    expect(await buildOf(intentId)).toMatchObject({ status: 'failed', reasonCode: 'source_unavailable' });
    expect((await buildOf(intentId)).reason).toContain('suspended');
    expect((await intentOf(intentId)).status).toBe('failed');
  });

  it('P19: is minted by the sweep when its job was lost', async () => {
    const builder = await agent();
    await push(world, project);
    await world.queues.drain();
    const claimed = (await builder.claim())!;
    world.queues.obliterate();
    await look();
    const work = await world.database.db.workItem.findUniqueOrThrow({ where: { id: claimed.id } });
    expect(work.credentialSealed).not.toBeNull();
  });
});
