import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LogBatch, LogsAnswer } from '../../core/contract/logs.ts';
import { logTopic } from '../../platform/wake/topics.ts';
import type { Build } from '../../prisma/client.ts';
import { readLog, readLogTail } from '../../prisma/store/logs.ts';
import { useTestAgent, useTestApi, type TestAgent } from '../../test/store/api.ts';
import { makeAllocation, makeBuild, makeRelease, makeWorld, offerWork, type World } from '../../test/store/rows.ts';

const api = useTestApi();
const one = useTestAgent(api, 'one');
const two = useTestAgent(api, 'two');
let world: World;
let build: Build;

beforeEach(async () => {
  world = await makeWorld(api.database.db);
  build = await makeBuild(api.database.db, world.projectId);
  await claimed(one, 1);
});

async function claimed(agent: TestAgent, attempt: number) {
  const work = await offerWork(api.database.db, build, agent.nodeId, attempt);
  await api.database.db.workItem.update({ where: { id: work.id }, data: { status: 'claimed', claimedAt: new Date() } });
}

const lines = (...texts: string[]) => texts.map((text) => ({ at: '2030-01-01T00:00:00.000Z', text, error: false }));

function batch(changed: Partial<LogBatch>): LogBatch {
  return { kind: 'build', id: build.id, attempt: 1, offset: 0, lines: [], end: false, ...changed };
}

async function send(agent: TestAgent, ...batches: LogBatch[]): Promise<LogsAnswer['accepted']> {
  const answer = await agent.call('POST', '/logs', { body: { batches } });
  expect(answer.statusCode).toBe(200);
  return answer.json<LogsAnswer>().accepted;
}

const stored = async () =>
  (await readLog(api.database.db, `build:${build.id}`, { from: 0, limit: 10_000 })).lines.map(({ text }) => text);

describe('logs', () => {
  it('are stored once, however often and however much overlapping they are sent', async () => {
    const first = batch({ lines: lines('a', 'b') });
    expect(await send(one, first)).toEqual([{ ok: true, nextOffset: 2 }]);
    expect(await send(one, first)).toEqual([{ ok: true, nextOffset: 2 }]);
    expect(await send(one, batch({ offset: 1, lines: lines('b', 'c') }))).toEqual([{ ok: true, nextOffset: 3 }]);
    await Promise.all([1, 2, 3].map(() => send(one, batch({ offset: 3, lines: lines('d') }))));
    expect(await stored()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('wake whoever follows them', async () => {
    const woken = api.wake.waitFor(logTopic(`build:${build.id}`), { timeoutMs: 10_000 });
    await send(one, batch({ lines: lines('a') }));
    expect(await woken).toBe('woken');
  });

  it("P61: are taken for a node's own builds and allocations only", async () => {
    const release = await makeRelease(api.database.db, world.service.id);
    const mine = await makeAllocation(api.database.db, { nodeId: one.nodeId, release });
    const allocation = batch({ kind: 'allocation', id: mine.id, attempt: 0, lines: lines('up') });
    expect(
      await send(two, batch({ lines: lines('x') }), allocation, batch({ id: randomUUID() }), batch({ id: '?' })),
    ).toEqual(Array.from({ length: 4 }, () => ({ ok: false, code: 'not_assigned' })));
    expect(await send(one, allocation)).toEqual([{ ok: true, nextOffset: 1 }]);
    expect(await stored()).toEqual([]);
  });

  it('are fenced by the attempt; a later attempt continues the same stream', async () => {
    await send(one, batch({ lines: lines('first try') }));
    await claimed(two, 2);
    expect(await send(one, batch({ offset: 1, lines: lines('late') }))).toEqual([{ ok: false, code: 'attempt_stale' }]);
    const second = batch({ attempt: 2, lines: lines('second try') });
    expect(await send(two, second)).toEqual([{ ok: true, nextOffset: 1 }]);
    expect(await send(two, second, batch({ attempt: 2, offset: 1, lines: lines('more') }))).toEqual([
      { ok: true, nextOffset: 1 },
      { ok: true, nextOffset: 2 },
    ]);
    expect(await stored()).toEqual(['first try', 'second try', 'more']);
  });

  it('keep beginning and end of a stream that is too long, and show the jump', async () => {
    const text = 'x'.repeat(999);
    for (let offset = 0; offset < 300; offset += 10)
      await send(one, batch({ offset, lines: lines(...Array.from({ length: 10 }, () => text)) }));
    const { lines: kept } = await readLogTail(api.database.db, `build:${build.id}`, 1_000);
    const bytes = kept.reduce((sum, line) => sum + line.text.length + 1, 0);
    expect(bytes).toBeLessThanOrEqual(100_000 + 10_000);
    expect(bytes).toBeGreaterThan(80_000);
    expect([kept[0]?.offset, kept.at(-1)?.offset]).toEqual([0, 299]);
    const jumps = kept.filter((line, index) => index > 0 && line.offset !== kept[index - 1]!.offset + 1);
    expect(jumps).toHaveLength(1);
    expect(await send(one, batch({ offset: 300, lines: lines('last') }))).toEqual([{ ok: true, nextOffset: 301 }]);
  });

  it('take lines whose predecessors were lost, and leave a jump', async () => {
    await send(one, batch({ offset: 5, lines: lines('f') }));
    expect(await send(one, batch({ offset: 6, lines: lines('g') }))).toEqual([{ ok: true, nextOffset: 7 }]);
    const { lines: read } = await readLog(api.database.db, `build:${build.id}`, { from: 0, limit: 10 });
    expect(read.map(({ offset, text }) => [offset, text])).toEqual([
      [5, 'f'],
      [6, 'g'],
    ]);
  });

  it('end with the mark of their attempt, until a later one goes on', async () => {
    const ends = async () => {
      const read = await readLog(api.database.db, `build:${build.id}`, { from: 0, limit: 100 });
      const tail = await readLogTail(api.database.db, `build:${build.id}`, 1);
      expect([tail.isLast, tail.endedAttempt]).toEqual([read.isLast, read.endedAttempt]);
      return [read.lines.map(({ text }) => text), read.isLast, read.endedAttempt];
    };
    const last = batch({ lines: lines('a', 'b'), end: true });
    await send(one, batch({ lines: lines('a') }));
    expect(await ends()).toEqual([['a'], true, null]);
    for (let count = 0; count < 2; count += 1) {
      expect(await send(one, last)).toEqual([{ ok: true, nextOffset: 2 }]);
      expect(await ends()).toEqual([['a', 'b'], true, 1]);
    }
    await claimed(two, 2);
    expect(await send(two, batch({ attempt: 2, offset: 3, lines: lines('after three that were lost') }))).toEqual([
      { ok: true, nextOffset: 4 },
    ]);
    expect(await ends()).toEqual([['a', 'b', 'after three that were lost'], true, null]);
    await send(two, batch({ attempt: 2, offset: 4, end: true }));
    await claimed(one, 3);
    await send(one, batch({ attempt: 3, end: true }));
    expect((await ends())[2]).toBe(3);
    expect(await send(one, batch({ attempt: 3, lines: lines('c') }))).toEqual([{ ok: true, nextOffset: 1 }]);
    expect(await ends()).toEqual([['a', 'b', 'after three that were lost', 'c'], true, null]);
  });

  it('say whether more lines follow than were read', async () => {
    await send(one, batch({ lines: lines('a', 'b', 'c'), end: true }));
    const read = (limit: number) => readLog(api.database.db, `build:${build.id}`, { from: 0, limit });
    expect([(await read(2)).isLast, (await read(2)).endedAttempt]).toEqual([false, null]);
    expect([(await read(3)).isLast, (await read(3)).endedAttempt]).toEqual([true, 1]);
  });

  it('are read on from any line', async () => {
    for (let offset = 0; offset < 20; offset += 4)
      await send(one, batch({ offset, lines: lines(...[0, 1, 2, 3].map((index) => String(offset + index))) }));
    const { lines: read, next } = await readLog(api.database.db, `build:${build.id}`, { from: 6, limit: 5 });
    expect([read.map(({ text }) => text), next]).toEqual([['6', '7', '8', '9', '10'], 11]);
  });
});
