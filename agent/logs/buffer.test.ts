import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../core/contract/logs.ts';
import { logBuffer } from './buffer.ts';

const line = (text: string): LogLine => ({ at: '2030-01-01T00:00:00.000Z', text, error: false });
const atMost = (count: number) => ({ lines: count, bytes: 1_000_000 });
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(`line ${from + index}`));
const texts = (batch: { lines: LogLine[] } | null) => batch?.lines.map(({ text }) => text);

describe('a buffered log', () => {
  it('gives lines with the offset of the first', () => {
    const buffer = logBuffer({ maxBytes: 1_000_000, startOffset: 40 });
    buffer.push(lines(0, 3));
    expect(buffer.next(atMost(2))).toMatchObject({ offset: 40, end: false });
    expect(texts(buffer.next(atMost(2)))).toEqual(['line 0', 'line 1']);
    buffer.acknowledge(42, false);
    expect(buffer.next(atMost(2))).toMatchObject({ offset: 42 });
  });

  it('gives the same batch again until it is acknowledged', () => {
    const buffer = logBuffer({ maxBytes: 1_000_000, startOffset: 0 });
    buffer.push(lines(0, 2));
    const first = buffer.next(atMost(10));
    buffer.push(lines(2, 4));
    expect(texts(buffer.next(atMost(2)))).toEqual(texts(first));
    // The answer was lost, the lines had arrived: the other side says where it is.
    buffer.acknowledge(2, false);
    expect(texts(buffer.next(atMost(10)))).toEqual(['line 2', 'line 3']);
  });

  it('ends once the last line and the end are taken', () => {
    const buffer = logBuffer({ maxBytes: 1_000_000, startOffset: 0 });
    buffer.push(lines(0, 3));
    buffer.end();
    expect(buffer.next(atMost(2))?.end).toBe(false);
    buffer.acknowledge(2, false);
    expect(buffer.next(atMost(2))).toMatchObject({ offset: 2, end: true });
    buffer.acknowledge(3, true);
    expect([buffer.isDone(), buffer.next(atMost(2))]).toEqual([true, null]);
  });

  it('tells the end of a log without lines', () => {
    const buffer = logBuffer({ maxBytes: 1_000_000, startOffset: 0 });
    expect(buffer.next(atMost(10))).toBeNull();
    buffer.end();
    expect(buffer.next(atMost(10))).toEqual({ offset: 0, lines: [], end: true, bytes: 0 });
  });

  it('gives as many lines as fit, and always one', () => {
    const buffer = logBuffer({ maxBytes: 1_000_000, startOffset: 0 });
    buffer.push([line('x'.repeat(500)), line('ü'.repeat(200)), line('y')]);
    const both = buffer.next({ lines: 10, bytes: 1_100 });
    expect([both?.lines.length, both?.bytes]).toEqual([2, 500 + 400 + 2 * 72]);
    expect(buffer.next({ lines: 10, bytes: 1 })).toMatchObject({ lines: [{ text: 'x'.repeat(500) }] });
  });

  it('leaves out the numbers of lines that the other side will not take', () => {
    const buffer = logBuffer({ maxBytes: 1_000_000, startOffset: 7 });
    buffer.push(lines(0, 3));
    expect([buffer.skip(2), buffer.next(atMost(9))]).toMatchObject([9, { offset: 9, lines: [line('line 2')] }]);
  });

  it('drops the middle when nobody takes lines, and says how many, each time anew', () => {
    const buffer = logBuffer({ maxBytes: 2_000, startOffset: 0 });
    const kept = () => texts(buffer.next(atMost(1_000))) ?? [];
    const said = () =>
      kept().flatMap((text) => (/^\[landfall: (\d+) lines were dropped/.exec(text) ?? []).slice(1).map(Number));
    const fill = (from: number) => {
      for (; from < 1_000; from += 10) buffer.push(lines(from, from + 10));
    };
    buffer.push(lines(0, 3));
    fill(3);
    expect(kept().slice(0, 3)).toEqual(['line 0', 'line 1', 'line 2']);
    expect(kept().at(-1)).toBe('line 1002');
    expect(kept().join().length).toBeLessThan(2_000);
    expect(said()).toEqual([1_003 - (kept().length - 1)]);
    // All of that is taken; what is dropped later is counted for itself.
    buffer.acknowledge(kept().length, false);
    fill(0);
    expect(said()).toEqual([1_000 - (kept().length - 1)]);
  });

  it('never changes what was sent and not acknowledged', () => {
    const buffer = logBuffer({ maxBytes: 2_000, startOffset: 0 });
    buffer.push(lines(0, 18));
    const sent = buffer.next(atMost(18));
    for (let from = 18; from < 200; from += 1) buffer.push(lines(from, from + 1));
    expect(buffer.next(atMost(18))).toEqual(sent);
  });
});
