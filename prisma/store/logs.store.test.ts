import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { keptMs } from '../../core/retention/policy.ts';
import { useDatabase } from '../../test/store/database.ts';
import { transaction } from '../client.ts';
import { appendLog, readLog, readLogTail, type LogBatchRow } from './logs.ts';
import { deleteOld } from './retention.ts';

const database = useDatabase();
const now = new Date('2030-01-01T00:00:00.000Z');
let stream: string;
beforeEach(() => {
  stream = `allocation:${randomUUID()}`;
});

const line = (text: string) => ({ at: now.toISOString(), text, error: false });
const batch = (offset: number, texts: string[], change: Partial<LogBatchRow> = {}): LogBatchRow => ({
  ...{ stream, attempt: 0, offset, lines: texts.map(line), end: false, at: now },
  ...change,
});
const append = (row: LogBatchRow, maxBytes = 10_000_000) => transaction(database, (tx) => appendLog(tx, row, maxBytes));
const rows = () => database.db.logChunk.count({ where: { stream } });

async function readAll(): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for (let from = 0, isLast = false; !isLast;) {
    const read = await readLog(database.db, stream, { from, limit: 70 });
    found.push(...read.lines.map(({ offset, text }): [number, string] => [offset, text]));
    ({ next: from, isLast } = read);
  }
  return found;
}

/** What stands in the stream's own row, and what it should be. */
async function totals(): Promise<[number | null, number]> {
  const kept = await database.db.logStream.findUnique({ where: { stream } });
  const chunks = await database.db.logChunk.findMany({ where: { stream } });
  const weights = chunks.map(({ bytes }) => (bytes === 0 ? 0 : Math.max(bytes, 2_048)));
  return [kept === null ? null : Number(kept.bytes), weights.reduce((sum, weight) => sum + weight, 0)];
}

/** As an earlier version of Landfall wrote it: a row for each batch, and none of the stream. */
async function makeOldRows(count: number, at = now): Promise<void> {
  const data = Array.from({ length: count }, (_, index) => ({
    ...{ stream, offset: BigInt(index), attempt: 0, lines: [line(`line ${index}`)], bytes: 10, at },
  }));
  await database.db.logChunk.createMany({ data });
}

describe('a stream', () => {
  it('gathers what comes in small pieces into few rows, and is read on from any line', async () => {
    for (let offset = 0; offset < 300; offset += 1)
      expect(await append(batch(offset, [`line ${offset}`]))).toEqual({ nextOffset: offset + 1, added: 1 });
    expect(await rows()).toBeLessThan(10);
    expect(await readAll()).toEqual(Array.from({ length: 300 }, (_, index) => [index, `line ${index}`]));
    for (const from of [0, 1, 63, 64, 65, 222, 299]) {
      const read = await readLog(database.db, stream, { from, limit: 2 });
      expect([read.lines[0]?.offset, read.lines[0]?.text]).toEqual([from, `line ${from}`]);
    }
    expect((await readLogTail(database.db, stream, 3)).lines.map(({ offset }) => offset)).toEqual([297, 298, 299]);
    expect(await readLog(database.db, stream, { from: 300, limit: 5 })).toMatchObject({ lines: [], isLast: true });
  });

  it('takes a line at the same cost, however long it is', async () => {
    await makeOldRows(4_000);
    await append(batch(4_000, ['makes the row of the stream']));
    const touched = await transaction(database, async (tx) => {
      const count = async () => {
        const [read] = await tx.$queryRaw<{ rows: bigint }[]>`
          SELECT sum(idx_tup_fetch + seq_tup_read) AS rows FROM pg_stat_xact_user_tables
          WHERE relname IN ('LogChunk', 'LogStream')`;
        return Number(read?.rows);
      };
      const before = await count();
      await appendLog(tx, batch(4_001, ['x']), 10_000_000);
      return (await count()) - before;
    });
    expect(touched).toBeGreaterThan(0);
    expect(touched).toBeLessThan(10);
  });

  it('drops of its middle rarely, and much at once', async () => {
    let drops = 0;
    let before = 0;
    const text = 'x'.repeat(3_000);
    for (let offset = 0; offset < 400; offset += 1) {
      await append(batch(offset, [text]), 300_000);
      const after = await rows();
      if (after < before) drops += 1;
      before = after;
    }
    const offsets = (await readAll()).map(([offset]) => offset);
    expect(offsets.length * 3_001).toBeLessThanOrEqual(300_000);
    expect(offsets.length * 3_001).toBeGreaterThan(250_000);
    expect([offsets[0], offsets.at(-1)]).toEqual([0, 399]);
    expect(offsets.filter((offset, index) => offset !== (offsets[index - 1] ?? -1) + 1)).toHaveLength(1);
    // 300 lines came after it was full: a tenth of it, ten lines, each time.
    expect(drops).toBeGreaterThan(5);
    expect(drops).toBeLessThan(40);
  });

  it('is bounded in rows, whatever little they hold', async () => {
    await makeOldRows(3_000);
    const later = (index: number) => new Date(now.getTime() + index * 2 * 3_600_000);
    for (let index = 0; index < 20; index += 1)
      await append(batch(3_000 + index, ['x'], { at: later(index) }), 2_048 * 100);
    expect(await rows()).toBeLessThanOrEqual(100);
    const offsets = (await readAll()).map(([offset]) => offset);
    expect([offsets[0], offsets.at(-1)]).toEqual([0, 3_019]);
    const [kept, real] = await totals();
    expect(kept).toBe(real);
  });

  it('that an earlier version wrote goes on where it was, with its attempts and its end', async () => {
    await makeOldRows(3);
    await database.db.logChunk.create({
      data: { stream, offset: 3n, attempt: 2, lines: [line('second')], bytes: 7, at: now },
    });
    await database.db.logChunk.create({ data: { stream, offset: 4n, attempt: 2, lines: [], bytes: 0, at: now } });
    expect(await readLogTail(database.db, stream, 1)).toMatchObject({ lines: [{ offset: 3 }], endedAttempt: 2 });
    expect(await append(batch(0, ['second', 'more'], { attempt: 2 }))).toEqual({ nextOffset: 2, added: 1 });
    expect(await append(batch(0, ['third'], { attempt: 3, end: true }))).toEqual({ nextOffset: 1, added: 1 });
    expect((await readAll()).map(([, text]) => text)).toEqual([
      ...['line 0', 'line 1', 'line 2'],
      ...['second', 'more', 'third'],
    ]);
    expect(await readLogTail(database.db, stream, 1)).toMatchObject({ endedAttempt: 3 });
  });

  it('takes nothing of an attempt that a later one has followed', async () => {
    await append(batch(0, ['a'], { attempt: 1 }));
    await append(batch(0, ['b'], { attempt: 2 }));
    expect(await append(batch(1, ['late'], { attempt: 1, end: true }))).toEqual({ nextOffset: 2, added: 0 });
    expect((await readAll()).map(([, text]) => text)).toEqual(['a', 'b']);
    expect((await readLogTail(database.db, stream, 1)).endedAttempt).toBeNull();
  });

  it('holds each line once, in order, and knows its size, whatever comes twice, overlapping, late or cut', async () => {
    const step = fc.record({
      attempt: fc.nat(2),
      back: fc.nat(4),
      lost: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
      count: fc.nat(40),
      end: fc.boolean(),
      hours: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(2) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        stream = `build:${randomUUID()}`;
        const model: [number, string][] = [];
        let [attempt, base, end, hours] = [0, 0, 0, 0];
        let ended: number | null = null;
        for (const { back, lost, count, ...step } of steps) {
          hours += step.hours;
          if (step.attempt > attempt) [attempt, base] = [step.attempt, end];
          const offset = Math.max(0, end - base - back) + (back === 0 ? lost : 0);
          const texts = Array.from({ length: count }, (_, index) => `${attempt}.${offset + index}`);
          const at = new Date(now.getTime() + hours * 3_600_000);
          await append(batch(offset, texts, { attempt, end: step.end, at }));
          const fresh = texts
            .map((text, index): [number, string] => [base + offset + index, text])
            .filter(([at]) => at >= end);
          model.push(...fresh);
          if (fresh.length > 0) [end, ended] = [fresh.at(-1)![0] + 1, null];
          if (step.end) [end, ended] = [Math.max(end, base + offset), attempt];
        }
        expect(await readAll()).toEqual(model);
        expect((await readLogTail(database.db, stream, 1)).endedAttempt).toBe(ended);
        const [kept, real] = await totals();
        expect(kept ?? 0).toBe(real);
      }),
      { numRuns: 40 },
    );
  });
});

describe('old lines', () => {
  const day = 24 * 3_600_000;
  const later = new Date(now.getTime() + keptMs.logs + day);

  it('are deleted, and the size of what is left is known: lines keep their numbers', async () => {
    await append(batch(0, ['old'], { attempt: 0 }));
    await append(batch(1, ['new'], { at: later }));
    await deleteOld(database.db, later);
    expect(await readAll()).toEqual([[1, 'new']]);
    const [kept, real] = await totals();
    expect([kept, real]).toEqual([2_048, 2_048]);
    expect(await append(batch(2, ['newer'], { at: later }))).toEqual({ nextOffset: 3, added: 1 });
    expect(await readAll()).toEqual([
      [1, 'new'],
      [2, 'newer'],
    ]);
  });

  it('leave nothing behind of a stream that has no others', async () => {
    await append(batch(0, ['old'], { end: true }));
    await deleteOld(database.db, later);
    expect([await rows(), await database.db.logStream.count({ where: { stream } })]).toEqual([0, 0]);
    expect(await append(batch(1, ['after'], { at: later }))).toEqual({ nextOffset: 2, added: 1 });
    expect(await readAll()).toEqual([[1, 'after']]);
  });
});
