import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ActionResult, ObservedContainer, StatusAnswer, StatusReport } from '../../core/contract/status.ts';
import type { Allocation, Release, Rollout } from '../../prisma/client.ts';
import { bumpNodes } from '../../prisma/store/nodes.ts';
import { openTestAgent, useTestApi, type TestAgent } from '../../test/store/api.ts';
import {
  makeAllocation,
  makeBuild,
  makeRelease,
  makeRollout,
  makeWorld,
  offerWork,
  type World,
} from '../../test/store/rows.ts';

const api = useTestApi();
let world: World;
let one: TestAgent;
let two: TestAgent;
let release: Release;
let rollout: Rollout;
let mine: Allocation;
let theirs: Allocation;

let names = 0;
beforeEach(async () => {
  const { db } = api.database;
  world = await makeWorld(db);
  one = await openTestAgent(api, `one-${++names}`);
  two = await openTestAgent(api, `two-${names}`);
  release = await makeRelease(db, world.service.id);
  rollout = await makeRollout(db, release, { stage: 'starting' });
  mine = await makeAllocation(db, { nodeId: one.nodeId, release, rolloutId: rollout.id });
  theirs = await makeAllocation(db, { nodeId: two.nodeId, release, rolloutId: rollout.id });
  await bumpNodes(db, [one.nodeId, two.nodeId]);
  api.jobs.length = 0;
});

function container(allocationId: string, changed: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    ...{
      allocationId,
      containerId: 'c1',
      state: 'running',
      specDigest: 's',
      image: 'i',
      ip: '10.200.1.2',
      health: 'healthy',
    },
    ...{ detailCode: null, detail: null, lastLog: [], exitCode: null, restarts: 0, startedAt: null },
    ...changed,
  };
}

const resources = {
  ...{
    cpuMillis: 2_000,
    memoryBytes: 4_000_000,
    memoryFreeBytes: 2_000_000,
    diskBytes: 9_000_000,
    diskFreeBytes: 5_000_000,
  },
  ...{ load1: 0.5, architecture: 'x64', kernel: '6.1', engineVersion: '4.3.1' },
};

function report(containers: ObservedContainer[], changed: Partial<StatusReport> = {}): StatusReport {
  return {
    ...{ epoch: 'e1', sequence: 1, agentVersion: 'test', phase: 'idle', generation: 1, converged: true },
    ...{ containers, actions: [], digests: { dns: null, routes: null, peers: null } },
    ...{ resources, publicAddress: null, capabilities: ['build'], buildSlots: 1 },
    ...changed,
  };
}

const send = (agent: TestAgent, body: StatusReport) => agent.call('POST', '/status', { body });
const row = (id: string) => api.database.db.allocation.findUniqueOrThrow({ where: { id } });
const codeOf = (answer: { json: () => { error: { code: string } } }) => answer.json().error.code;

describe('a status report', () => {
  it('writes what was observed and wakes the rollout that it may move, once', async () => {
    const answer = await send(one, report([container(mine.id)]));
    expect(answer.json()).toEqual({ sequence: 1, generation: 1, work: [], refused: [] });
    expect(await row(mine.id)).toMatchObject({ observed: 'running', health: 'healthy', version: 1 });
    expect(api.jobs).toContainEqual({ name: 'advanceRollout', payload: { rolloutId: rollout.id, version: 1 } });
    api.jobs.length = 0;
    await send(one, report([container(mine.id)], { sequence: 2 }));
    expect(api.jobs).toEqual([]);
    expect((await row(mine.id)).version).toBe(1);
  });

  it('P61: changes nothing of another node, and is told so', async () => {
    const stranger = randomUUID();
    const body = report([container(mine.id), container(theirs.id), container(stranger), container("'; --")]);
    const answer = (await send(one, body)).json<StatusAnswer>();
    expect(answer.refused.map(({ allocationId }) => allocationId).toSorted()).toEqual(
      [theirs.id, stranger, "'; --"].toSorted(),
    );
    expect(await row(theirs.id)).toEqual(theirs);
    expect((await row(mine.id)).observed).toBe('running');
  });

  it('is refused when a number in it is larger than what keeps it', async () => {
    for (const changed of [{ generation: 1e15 }, { sequence: 1e300 }, { generation: -1 }]) {
      const answer = await send(one, report([], changed));
      expect([changed, answer.statusCode, codeOf(answer)]).toEqual([changed, 400, 'invalid_request']);
    }
    const restarts = await send(one, report([container(mine.id, { restarts: 2 ** 31 })]));
    expect([restarts.statusCode, codeOf(restarts)]).toEqual([400, 'invalid_request']);
  });

  it('is refused by name when a later one, or a later start of the agent, was heard', async () => {
    await send(one, report([container(mine.id)], { sequence: 5 }));
    const older = await send(one, report([container(mine.id, { state: 'exited' })], { sequence: 4 }));
    expect([older.statusCode, codeOf(older)]).toEqual([409, 'sequence_stale']);
    expect(codeOf(await send(one, report([], { sequence: 5 })))).toBe('sequence_stale');
    expect((await send(one, report([container(mine.id)], { epoch: 'e2', sequence: 1 }))).statusCode).toBe(200);
    expect(codeOf(await send(one, report([], { sequence: 6 })))).toBe('epoch_stale');
    expect((await row(mine.id)).observed).toBe('running');
  });

  it('ends the leases of the agent before it, and wakes their builds; its own are kept', async () => {
    const { db } = api.database;
    const build = await makeBuild(db, world.projectId);
    const claimed = await offerWork(db, build, one.nodeId);
    const other = await offerWork(db, await makeBuild(db, world.projectId), two.nodeId);
    await send(one, report([]));
    const leased = { status: 'claimed', leaseUntil: new Date(api.clock.now.getTime() + 30_000) } as const;
    await db.workItem.updateMany({ where: { id: { in: [claimed.id, other.id] } }, data: leased });
    const statusOf = async ({ id }: { id: string }) => (await db.workItem.findUniqueOrThrow({ where: { id } })).status;
    api.jobs.length = 0;
    await send(one, report([], { sequence: 2 }));
    expect([await statusOf(claimed), api.jobs]).toEqual(['claimed', []]);
    await send(one, report([], { epoch: 'e2' }));
    expect([await statusOf(claimed), await statusOf(other)]).toEqual(['expired', 'claimed']);
    expect(api.jobs).toEqual([{ name: 'advanceBuild', payload: { buildId: build.id, version: build.version + 1 } }]);
    const again = await offerWork(db, build, one.nodeId, 2);
    await db.workItem.update({ where: { id: again.id }, data: leased });
    await send(one, report([], { epoch: 'e2', sequence: 2 }));
    expect((await send(one, report([], { epoch: 'e1', sequence: 9 }))).statusCode).toBe(409);
    expect(await statusOf(again)).toBe('claimed');
  });

  it('says how many builds the node makes at once; more of them wake what waits, fewer do not', async () => {
    const { db } = api.database;
    const slots = async () => (await db.node.findUniqueOrThrow({ where: { id: one.nodeId } })).buildSlots;
    const swept = () => api.jobs.splice(0).filter(({ name }) => name === 'sweep').length;
    await send(one, report([], { buildSlots: 2 }));
    swept();
    await send(one, report([], { sequence: 2, buildSlots: 0 }));
    expect([await slots(), swept()]).toEqual([0, 0]);
    await send(one, report([], { sequence: 3, buildSlots: 3 }));
    expect([await slots(), swept()]).toEqual([3, 1]);
    const { buildSlots: _unsaid, ...before } = report([], { sequence: 4 });
    expect((await one.call('POST', '/status', { body: before })).statusCode).toBe(200);
    expect(await slots()).toBe(1);
  });

  it('is taken once when it comes many times at the same moment', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => send(one, report([container(mine.id)]))));
    expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
    expect((await row(mine.id)).version).toBe(1);
  });

  it('frees the address of an allocation that was to stop and is not there any more, of a state without it', async () => {
    const { db } = api.database;
    await send(one, report([container(mine.id)]));
    await db.allocation.update({ where: { id: mine.id }, data: { desired: 'stopped' } });
    await bumpNodes(db, [one.nodeId]);
    await send(one, report([], { sequence: 2, generation: 1 }));
    expect((await row(mine.id)).stoppedAt).toBeNull();
    await send(one, report([container(mine.id)], { sequence: 3, generation: 2 }));
    expect((await row(mine.id)).stoppedAt).toBeNull();
    await send(one, report([], { sequence: 4, generation: 2 }));
    expect(await row(mine.id)).toMatchObject({ observed: 'gone', stoppedAt: api.clock.now });
  });

  it('says of a running allocation that it is gone only when the agent is idle and once saw it', async () => {
    await send(one, report([]));
    expect((await row(mine.id)).observed).toBe('unobserved');
    await send(one, report([container(mine.id)], { sequence: 2 }));
    await send(one, report([], { sequence: 3, phase: 'processing' }));
    expect((await row(mine.id)).observed).toBe('running');
    await send(one, report([], { sequence: 4 }));
    expect(await row(mine.id)).toMatchObject({ observed: 'gone', stoppedAt: null });
  });

  it('P22: takes a container that only claims to run for one that has exited', async () => {
    await send(one, report([container(mine.id, { state: 'dead', health: 'unhealthy' })]));
    expect((await row(mine.id)).observed).toBe('exited');
  });

  it('makes a node live: what waits for one is looked at, and builds offered to it are in the answer', async () => {
    const work = await offerWork(api.database.db, await makeBuild(api.database.db, world.projectId), one.nodeId);
    const answer = (await send(one, report([]))).json<StatusAnswer>();
    expect(answer.work).toEqual([{ workId: work.id, kind: 'build', attempt: 1, status: 'offered', cancel: null }]);
    expect(api.jobs).toEqual([{ name: 'sweep', payload: {} }]);
    api.jobs.length = 0;
    await send(one, report([], { sequence: 2 }));
    expect(api.jobs).toEqual([]);
    const node = await api.database.db.node.findUniqueOrThrow({ where: { id: one.nodeId } });
    expect(node).toMatchObject({ lastSeenAt: api.clock.now, appliedGeneration: 1, capabilities: ['build'], resources });
  });

  it('lifts the generation above what the node knows, when the database was put back to an earlier state', async () => {
    const ahead = (await send(one, report([container(mine.id)], { generation: 40 }))).json<StatusAnswer>();
    expect(ahead.generation).toBe(41);
    expect((await one.call('GET', '/expected-state')).json()).toMatchObject({ generation: 41 });
    const absurd = await send(one, report([container(mine.id)], { sequence: 2, generation: 2_000_000_000 }));
    expect(absurd.json<StatusAnswer>().generation).toBe(41);
  });

  it('takes texts that the database cannot hold as they are', async () => {
    const nasty = container(mine.id, { detail: 'a\0b \ud800', lastLog: ['\0'], detailCode: 'exited' });
    expect((await send(one, report([nasty]))).statusCode).toBe(200);
    expect((await row(mine.id)).detail).toBe('a\ufffdb \ufffd');
  });
});

describe('what a node cannot do', () => {
  const at = () => api.clock.now.toISOString();
  const later = (ms: number) => new Date(api.clock.now.getTime() + ms).toISOString();
  const failed = (changed: Partial<ActionResult> = {}): ActionResult => ({
    ...{ kind: 'stop_orphan', subject: mine.id, ok: false, message: 'It does not stop.', durationMs: 5 },
    ...{ at: at(), retryAt: later(1_000) },
    ...changed,
  });
  const failuresOf = async ({ nodeId }: TestAgent) =>
    (await api.database.db.node.findUniqueOrThrow({ where: { id: nodeId } })).failures;
  const unwell = (sequence: number, actions: ActionResult[]) =>
    send(one, report([container(mine.id)], { sequence, actions, converged: false }));

  it('is kept from its report, until it is done, and told in the log once', async () => {
    api.logged.length = 0;
    await unwell(1, [failed({ message: 'a\0b' })]);
    const kept = {
      ...{ kind: 'stop_orphan', subject: mine.id, message: 'a\ufffdb', at: at(), retryAt: later(1_000) },
    };
    expect([await failuresOf(one), await failuresOf(two)]).toEqual([[kept], []]);
    await unwell(2, [failed({ message: 'a\0b', retryAt: later(2_000) })]);
    expect(await failuresOf(one)).toEqual([{ ...kept, retryAt: later(2_000) }]);
    await unwell(3, [failed({ ok: true, message: null, retryAt: null })]);
    expect(await failuresOf(one)).toEqual([]);
    expect(api.logged.map(({ level, msg }) => [level, msg])).toEqual([
      [40, `a node cannot stop a container that nothing expects (allocation ${mine.id})`],
      [30, 'a node no longer fails at this'],
    ]);
  });

  it('is written only when it is news, and not by a report that came late', async () => {
    const writes = countStatements('SET failures');
    await unwell(1, [failed()]);
    expect(writes.count()).toBe(1);
    await unwell(2, []);
    await unwell(3, [failed()]);
    await unwell(4, [failed({ kind: 'start', ok: true })]);
    expect(writes.count()).toBe(1);
    expect((await unwell(2, [failed({ message: 'Another.' })])).statusCode).toBe(409);
    expect(await failuresOf(one)).toMatchObject([{ message: 'It does not stop.' }]);
    await send(one, report([container(mine.id)], { sequence: 5 }));
    expect([await failuresOf(one), writes.count()]).toEqual([[], 2]);
    writes.end();
  });

  it('stays bounded, whatever an agent reports', async () => {
    const many = Array.from({ length: 200 }, (_, index) =>
      failed({ subject: String(index), message: 'x'.repeat(2_000) }),
    );
    await unwell(1, many);
    await unwell(
      2,
      many.map((one) => ({ ...one, subject: `more ${one.subject}` })),
    );
    expect(await failuresOf(one)).toHaveLength(20);
    expect(JSON.stringify(await failuresOf(one)).length).toBeLessThan(25_000);
  });
});

/** Statements that hold this text, from here on. */
function countStatements(text: string): { count: () => number; end: () => void } {
  const { pool } = api.database;
  const query = pool.query.bind(pool) as (...args: unknown[]) => unknown;
  let count = 0;
  Object.assign(pool, {
    query: (...args: unknown[]) => {
      if (String(args[0]).includes(text)) count++;
      return query(...args);
    },
  });
  return { count: () => count, end: () => Object.assign(pool, { query }) };
}
