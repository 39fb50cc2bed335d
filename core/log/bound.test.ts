import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../contract/logs.ts';
import { boundLog, boundsOf } from './bound.ts';

const line = (text: string): LogLine => ({ at: '2030-01-01T00:00:00.000Z', text, error: false });
const texts = (lines: readonly LogLine[]) => lines.map(({ text }) => text);
const bytesOf = (lines: readonly LogLine[]) => lines.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
const noteBytes = 160;

describe('a bounded log', () => {
  it('passes each line of its beginning at once', () => {
    const bound = boundLog({ headBytes: 1_000, paceBytes: 100 });
    const given = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    expect(given.map((text) => texts(bound.push(line(text))))).toEqual(given.map((text) => [text]));
    expect([bound.isHolding(), bound.flush()]).toEqual([false, []]);
  });

  it('goes on past its beginning: what is slower than the pace passes whole, at the next flush', () => {
    const bound = boundLog({ headBytes: 0, paceBytes: 100 });
    for (let turn = 0; turn < 1_000; turn += 1) {
      const given = [`first of ${turn}`, `last of ${turn}`];
      expect(given.flatMap((text) => bound.push(line(text)))).toEqual([]);
      expect(bound.isHolding()).toBe(true);
      expect(texts(bound.flush())).toEqual(given);
    }
  });

  it('passes the last lines of what is faster, and says where and how much is left out', () => {
    const bound = boundLog({ headBytes: 20, paceBytes: 60 });
    const given = Array.from({ length: 1_000 }, (_, index) => `line ${index}`);
    const passed = given.flatMap((text) => bound.push(line(text)));
    expect(texts(passed)).toEqual(given.slice(0, 2));
    const [note, ...last] = texts(bound.flush());
    expect(last).toEqual(given.slice(-last.length));
    expect(last.length).toBeGreaterThan(4);
    const [lines, bytes] = /^… (\d+) lines \((\d+) bytes\) are left out here: /.exec(note!)!.slice(1).map(Number);
    const missing = given.slice(2, -last.length);
    expect([lines, bytes]).toEqual([missing.length, bytesOf(missing.map(line))]);
    expect(bound.flush()).toEqual([]);
    bound.push(line('later'));
    expect(texts(bound.flush())).toEqual(['later']);
  });

  it('keeps every line it does not count, in order, and passes no more than its pace', () => {
    const turn = fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(
        fc.array(turn, { maxLength: 6 }),
        fc.nat(3_000),
        fc.integer({ min: 1_300, max: 4_000 }),
        (given, headBytes, paceBytes) => {
          const bound = boundLog({ headBytes, paceBytes });
          let count = 0;
          let leftOut = 0;
          const seen: number[] = [];
          const see = (lines: LogLine[]) => {
            for (const text of texts(lines)) {
              const note = /^… (\d+) lines/.exec(text);
              if (note === null) seen.push(parseInt(text, 10));
              else leftOut += Number(note[1]);
            }
          };
          let head = 0;
          for (const some of given) {
            for (const text of some) {
              const passed = bound.push(line(`${count++}:${text}`));
              head += bytesOf(passed);
              see(passed);
            }
            const flushed = bound.flush();
            expect(bytesOf(flushed)).toBeLessThanOrEqual(paceBytes + noteBytes);
            see(flushed);
          }
          expect(head).toBeLessThanOrEqual(headBytes);
          expect(seen).toEqual(seen.toSorted((a, b) => a - b));
          expect(seen.length + leftOut).toBe(count);
          if (count > 0) expect(seen.at(-1)).toBe(count - 1);
        },
      ),
    );
  });

  it('clips a line to what the contract takes, and passes the last one whatever its size', () => {
    const bound = boundLog({ headBytes: 0, paceBytes: 10 });
    bound.push(line('x'.repeat(100_000)));
    const [shown] = texts(bound.flush());
    expect([shown?.length, shown?.at(-1)]).toEqual([16_384, '…']);
  });

  it('leaves a log of the default size alone until it is half full', () => {
    expect(boundsOf({ maxBytes: 10_000_000 })).toEqual({ headBytes: 5_000_000, paceBytes: 20_000 });
  });
});
