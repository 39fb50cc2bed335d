import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flushOutbox } from '../../platform/queue/jobs.ts';
import { transaction } from '../../prisma/client.ts';
import { beginWrite, leaveLane, takeLane, type HeldLane } from '../../prisma/store/lane.ts';
import {
  markFailed,
  markLater,
  markSent,
  markUnheard,
  owe,
  sendableWrites,
  type OwedWrite,
} from '../../prisma/store/outbox.ts';
import { removeRepositories } from '../../prisma/store/repositories.ts';
import { makeProject, push } from '../../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../../test/worker/suite.ts';
import { flush } from './flush.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world, (count) => `owner-${count}`);

beforeEach(async () => {
  await agent.beat();
  world.queues.outcomes.length = 0;
});

afterEach(() => {
  world.sandbox.faults.clear();
  world.queues.obliterate();
});

function writesOf(installationId = project.installationId) {
  return world.database.db.outboxWrite.findMany({ where: { installationId }, orderBy: { id: 'asc' } });
}

/** What GitHub holds of the project, counted. */
function held() {
  const { state } = world.sandbox;
  const ofProject = ({ repositoryId }: { repositoryId: number }): boolean => repositoryId === project.repositoryId;
  const runs = state.checkRuns.filter(ofProject);
  return {
    deployments: state.deployments.filter(ofProject).length,
    statuses: state.deploymentStatuses.filter(ofProject).map((each) => each.state),
    runs: runs.map(({ conclusion }) => conclusion),
    annotations: runs.flatMap(({ annotations }) => annotations).length,
  };
}

/** Until the lane is empty, with time passing as it asks for it. */
async function flushAll(): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await world.queues.drain();
    const next = world.queues.jobs.filter(({ job }) => job.name === flushOutbox.name).map(({ dueAt }) => dueAt);
    if (next.length === 0) return;
    world.clock.aheadMs += Math.max(0, Math.min(...next.map(Number)) - world.now().getTime());
    await agent.beat();
  }
  throw new Error('The lane does not become empty.');
}

function note(key: string, change: Partial<OwedWrite> = {}): OwedWrite {
  const intentId = crypto.randomUUID();
  return { key, subject: `intent:${intentId}`, kind: 'createDeployment', coalesceKey: null, payload: {}, ...change };
}

describe('an answer that was lost', () => {
  it.each([
    ['repos/create-deployment', 1],
    ['checks/create', 1],
    ['repos/create-deployment-status', 2],
    ['checks/update', 2],
    ['POST /repositories/*', 4],
  ])('P38: a 502 after the commit creates nothing twice: %s', async (match, times) => {
    world.sandbox.faults.set({ kind: 'bad_gateway_after_commit', match, times });
    const intentId = await push(world, project);
    await world.queues.drain();
    const claimed = await agent.claim();
    await flushAll();
    const annotations = [{ path: 'Dockerfile', line: 1, endLine: 1, message: 'no such file' }];
    const outcome = { kind: 'failed', code: 'step_failed', message: 'RUN failed', annotations, logTail: [] } as const;
    await agent.finish(claimed!, { ...outcome, annotations, logTail: [] });
    await flushAll();
    expect(held()).toEqual({
      deployments: 1,
      statuses: ['in_progress', 'failure'],
      runs: ['failure'],
      annotations: 1,
    });
    expect(world.sandbox.faults.list()).toEqual([]);
    const rows = await writesOf();
    expect(rows.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(rows.every(({ subject }) => subject === `intent:${intentId}`)).toBe(true);
  });
});

describe('limits', () => {
  it('P39: a limited installation waits as long as GitHub says, keeps its order, and does not hold another one up', async () => {
    const other = await makeProject(world, `other-${project.owner}`);
    const match = `POST /repositories/${project.repositoryId}/*`;
    world.sandbox.faults.set({ kind: 'secondary_limit', status: 429, retryAfter: 60, reset: null, match });
    const began = world.now();
    await push(world, project);
    await push(world, other);
    await world.queues.drain();
    expect(held().deployments + held().runs.length).toBe(0);
    expect((await writesOf(other.installationId)).map(({ status }) => status)).toEqual(['sent', 'sent']);
    const { limitedUntil } = await world.database.db.installation.findUniqueOrThrow({
      where: { id: project.installationId },
    });
    expect(limitedUntil!.getTime() - began.getTime()).toBeGreaterThanOrEqual(60_000);

    world.sandbox.requests.reset();
    await push(world, project);
    await world.queues.drain();
    await world.sweep();
    await world.queues.drain();
    const asked = world.sandbox.requests.list().filter((each) => each.installationId === project.installationId);
    expect(asked).toEqual([]);

    world.sandbox.faults.clear();
    await flushAll();
    const rows = await writesOf();
    expect(rows.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'createCheckRun sent',
      'createDeployment sent',
      'createDeploymentStatus sent',
      'updateCheckRun sent',
      'createCheckRun sent',
      'createDeployment sent',
    ]);
    const sentAt = rows.map((row) => row.sentAt!.getTime());
    expect(sentAt).toEqual(sentAt.toSorted((a, b) => a - b));
    expect(sentAt[0]).toBeGreaterThanOrEqual(limitedUntil!.getTime());
    expect(rows.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it('takes a limit without Retry-After for one of a minute', async () => {
    const match = `POST /repositories/${project.repositoryId}/*`;
    world.sandbox.faults.set({ kind: 'secondary_limit', status: 403, retryAfter: null, reset: null, match, times: 1 });
    const began = world.now().getTime();
    await push(world, project);
    await world.queues.drain();
    const { limitedUntil } = await world.database.db.installation.findUniqueOrThrow({
      where: { id: project.installationId },
    });
    expect(limitedUntil!.getTime() - began).toBeGreaterThanOrEqual(60_000);
    await flushAll();
    expect(held()).toMatchObject({ deployments: 1, runs: [null] });
  });
});

describe('one flusher at a time', () => {
  it('of two at once one sends, each write once and in order', async () => {
    await push(world, project);
    world.queues.obliterate();
    await Promise.all(
      Array.from({ length: 4 }, () => flush(world.deps, { installationId: project.installationId, upTo: '1' })),
    );
    expect(held()).toMatchObject({ deployments: 1, runs: [null] });
    expect((await writesOf()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['sent', 1],
      ['sent', 1],
    ]);
  });

  it('holds no connection while it sends: more lanes than connections go on side by side', async () => {
    const match = 'POST /repositories/*';
    const projects = [project];
    for (let index = 0; index < 5; index++) projects.push(await makeProject(world, `side-${index}-${project.owner}`));
    for (const each of projects) await push(world, each);
    world.queues.obliterate();
    world.sandbox.faults.set({ kind: 'latency', milliseconds: 300, match });
    const flushes = projects.map(({ installationId }) => flush(world.deps, { installationId, upTo: '1' }));
    const busy: number[] = [];
    const watch = setInterval(() => busy.push(world.database.pool.totalCount - world.database.pool.idleCount), 5);
    await Promise.all(flushes);
    clearInterval(watch);
    expect(busy.filter((connections) => connections === 0).length).toBeGreaterThan(0);
  });

  it('after a crash in the middle of a write another goes on when the lane is free, and looks first', async () => {
    await push(world, project);
    world.queues.obliterate();
    const { db } = world.database;
    const { installationId } = project;
    const taken = await takeLane(db, { installationId, until: new Date(world.now().getTime() + 30_000) }, world.now());
    if (taken.kind !== 'held') throw new Error('The lane is taken.');
    const [first] = await sendableWrites(db, installationId, { now: world.now(), limit: 1 });
    const begun = await beginWrite(db, taken.lane, { writeId: first!.id, until: taken.lane.until });
    expect(begun).toMatchObject({ lane: { installationId }, owed: true });
    // GitHub took it, and the process died before it could say so.
    const body = (first!.payload as { body: Record<string, unknown> }).body;
    const github = await world.deps.github.forInstallation(installationId);
    await github.request('POST /repositories/{repository_id}/check-runs', {
      repository_id: project.repositoryId,
      ...body,
    });

    await flush(world.deps, { installationId, upTo: '1' });
    expect(held()).toMatchObject({ deployments: 0, runs: [null] });
    await world.queues.drain();
    expect(held()).toMatchObject({ deployments: 0, runs: [null] });
    // It looks again by itself when the time is over for which the lane was held.
    world.clock.aheadMs += 31_000;
    await world.queues.drain();
    expect(held()).toMatchObject({ deployments: 1, runs: [null] });
    expect((await writesOf()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['sent', 2],
      ['sent', 1],
    ]);
  });

  it('one that was late sends nothing more', async () => {
    await push(world, project);
    const { db } = world.database;
    const { installationId } = project;
    const [first] = await sendableWrites(db, installationId, { now: world.now(), limit: 1 });
    const late = { installationId, until: new Date(world.now().getTime() + 1) };
    expect((await takeLane(db, late, world.now())).kind).toBe('held');
    world.clock.aheadMs += 10;
    const next = { installationId, until: new Date(world.now().getTime() + 30_000) };
    expect((await takeLane(db, next, world.now())).kind).toBe('held');
    expect(await beginWrite(db, late, { writeId: first!.id, until: next.until })).toBe('lost');
    await leaveLane(db, late);
    expect((await takeLane(db, next, world.now())).kind).toBe('busy');
    await leaveLane(db, next);
    expect((await writesOf())[0]?.attempts).toBe(0);
  });

  it('one that was late has nothing to say of what its successor sends or has sent', async () => {
    await push(world, project);
    const { db } = world.database;
    const { installationId } = project;
    const [first] = await sendableWrites(db, installationId, { now: world.now(), limit: 1 });
    const { id } = first!;
    const hold = async (ms: number): Promise<HeldLane> => {
      const until = new Date(world.now().getTime() + ms);
      const taken = await takeLane(db, { installationId, until }, world.now());
      if (taken.kind !== 'held') throw new Error('The lane is taken.');
      const begun = await beginWrite(db, taken.lane, { writeId: id, until });
      if (begun === 'lost') throw new Error('The lane is lost.');
      return begun.lane;
    };
    const late = await hold(1);
    world.clock.aheadMs += 10;
    const next = await hold(30_000);
    const soon = new Date(world.now().getTime() + 60_000);
    const lateMarks = async () => [
      await markFailed(db, late, { id, error: 'late' }),
      await markLater(db, late, { id, notBefore: soon, error: 'late' }),
      await markUnheard(db, late, { id, error: 'late' }),
      await markSent(db, late, { id, githubId: 1, at: world.now() }),
    ];
    expect(await lateMarks()).toEqual(['lost', 'lost', 'lost', 'lost']);
    expect((await writesOf())[0]).toMatchObject({ status: 'pending', attempts: 2, lastError: null, githubId: null });
    expect(await markSent(db, next, { id, githubId: 2, at: world.now() })).toBe('marked');
    expect(await lateMarks()).toEqual(['lost', 'lost', 'lost', 'lost']);
    expect((await writesOf())[0]).toMatchObject({ status: 'sent', attempts: 2, githubId: 2n });
    await leaveLane(db, next);
  });

  it('one that lost the lane while it sent stops there, and its successor looks first', async () => {
    await push(world, project);
    world.queues.obliterate();
    const { db } = world.database;
    const { installationId } = project;
    world.sandbox.faults.set({ kind: 'latency', milliseconds: 300, match: 'checks/create' });
    const late = flush(world.deps, { installationId, upTo: '1' });
    await expect.poll(async () => (await writesOf())[0]?.attempts).toBe(1);
    // The machine stood still for longer than the lane is held.
    world.clock.aheadMs += 60_000;
    const until = new Date(world.now().getTime() + 30_000);
    const taken = await takeLane(db, { installationId, until }, world.now());
    await late;
    expect((await writesOf()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['pending', 1],
      ['pending', 0],
    ]);
    if (taken.kind === 'held') await leaveLane(db, taken.lane);
    await flush(world.deps, { installationId, upTo: '1' });
    expect(held()).toMatchObject({ deployments: 1, runs: [null] });
    expect((await writesOf()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['sent', 2],
      ['sent', 1],
    ]);
  });
});

it('goes on behind a write whose place was taken while another was sent', async () => {
  const { installationId } = project;
  const { db } = world.database;
  await push(world, project);
  world.queues.obliterate();
  await owe(db, installationId, [note('old', { coalesceKey: 'live' })]);
  world.sandbox.faults.set({ kind: 'latency', milliseconds: 300, match: 'repos/create-deployment' });
  const flushing = flush(world.deps, { installationId, upTo: '1' });
  await expect.poll(() => held().runs.length).toBe(1);
  await owe(db, installationId, [note('new', { coalesceKey: 'live' })]);
  await flushing;
  const rows = await writesOf();
  expect(rows.map(({ status }) => status)).toEqual(['sent', 'sent', 'superseded', 'failed']);
  const taken = { installationId, until: new Date(world.now().getTime() + 30_000) };
  expect((await takeLane(db, taken, world.now())).kind).toBe('held');
});

describe('what is owed', () => {
  it('is owed once, in order, and supersedes what it takes the place of', async () => {
    const { installationId } = project;
    const owed = (writes: OwedWrite[]) => transaction(world.database, (tx) => owe(tx, installationId, writes));
    const subject = `intent:${crypto.randomUUID()}`;
    const first = await owed([note('a', { subject, coalesceKey: 'status' }), note('b', { subject })]);
    expect(first).toMatchObject({ installationId });
    expect(await owed([note('a', { subject, coalesceKey: 'status' })])).toBeNull();
    await owed([note('c', { subject, coalesceKey: 'status' })]);
    expect((await writesOf()).map(({ key, status }) => [key, status])).toEqual([
      ['a', 'superseded'],
      ['b', 'pending'],
      ['c', 'pending'],
    ]);
    expect(await owed([])).toBeNull();
  });

  it('is not coalesced away once it may have reached GitHub', async () => {
    const { installationId } = project;
    const { db } = world.database;
    await owe(db, installationId, [note('d', { coalesceKey: 'once' })]);
    const lane = { installationId, until: new Date(world.now().getTime() + 30_000) };
    await takeLane(db, lane, world.now());
    const [write] = await sendableWrites(db, installationId, { now: world.now(), limit: 1 });
    await beginWrite(db, lane, { writeId: write!.id, until: lane.until });
    await owe(db, installationId, [note('e', { coalesceKey: 'once' })]);
    expect((await writesOf()).map(({ status }) => status)).toEqual(['pending', 'pending']);
  });

  it('P04: a write that cannot be read does not hold up those behind it', async () => {
    const { installationId } = project;
    await owe(world.database.db, installationId, [note('f', { kind: 'paintCheckRun' as never }), note('g')]);
    await push(world, project);
    await world.queues.drain();
    const rows = await writesOf();
    expect(rows.map(({ status, lastError }) => [status, lastError?.split(':')[0]])).toEqual([
      ['failed', 'write_unreadable'],
      ['failed', 'write_unreadable'],
      ['sent', undefined],
      ['sent', undefined],
    ]);
  });

  it('P20: a repository that is gone: what was owed about it is passed over with that reason, and the lane moves', async () => {
    const other = await makeProject(world, project.owner, 'second');
    expect(other.installationId).toBe(project.installationId);
    await push(world, project);
    await push(world, other);
    await world.sandbox.deleteRepository({ repositoryId: project.repositoryId });
    await removeRepositories(world.database.db, { ids: [project.repositoryId] }, world.now());
    await flushAll();
    await world.sweep();
    await flushAll();
    const rows = await writesOf();
    const about = (id: number) =>
      rows.filter(({ payload }) => (payload as { repositoryId: number }).repositoryId === id);
    expect(about(project.repositoryId).map(({ status }) => status)).not.toContain('pending');
    expect(about(project.repositoryId)[0]?.lastError).toMatch(/^github_not_found: /);
    expect(about(other.repositoryId).map(({ status }) => status)).toEqual(['sent', 'sent']);
  });
});
