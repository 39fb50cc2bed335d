import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../core/contract/logs.ts';
import { logBuffer } from './buffer.ts';

const line = (text: string): LogLine => ({ at: '2030-01-01T00:00:00.000Z', text, error: false });
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(`line ${from + index}`));
const texts = (batch: { lines: LogLine[] } | null) => batch?.lines.map(({ text }) => text);

describe('a buffered log', () => {
  it('gives lines with the offset of the first', () => {
    const buffer = logBuffer({ maxLines: 100, startOffset: 40 });
    buffer.push(lines(0, 3));
    expect(buffer.next(2)).toMatchObject({ offset: 40, end: false });
    expect(texts(buffer.next(2))).toEqual(['line 0', 'line 1']);
    buffer.acknowledge(42, false);
    expect(buffer.next(2)).toMatchObject({ offset: 42 });
  });

  it('gives the same batch again until it is acknowledged', () => {
    const buffer = logBuffer({ maxLines: 100, startOffset: 0 });
    buffer.push(lines(0, 2));
    const first = buffer.next(10);
    buffer.push(lines(2, 4));
    expect(texts(buffer.next(2))).toEqual(texts(first));
    // The answer was lost, the lines had arrived: the other side says where it is.
    buffer.acknowledge(2, false);
    expect(texts(buffer.next(10))).toEqual(['line 2', 'line 3']);
  });

  it('ends once the last line and the end are taken', () => {
    const buffer = logBuffer({ maxLines: 100, startOffset: 0 });
    buffer.push(lines(0, 3));
    buffer.end();
    expect(buffer.next(2)?.end).toBe(false);
    buffer.acknowledge(2, false);
    expect(buffer.next(2)).toMatchObject({ offset: 2, end: true });
    buffer.acknowledge(3, true);
    expect([buffer.isDone(), buffer.next(2)]).toEqual([true, null]);
  });

  it('tells the end of a log without lines', () => {
    const buffer = logBuffer({ maxLines: 100, startOffset: 0 });
    expect(buffer.next(10)).toBeNull();
    buffer.end();
    expect(buffer.next(10)).toEqual({ offset: 0, lines: [], end: true });
  });

  it('drops the middle when nobody takes lines, and says how many', () => {
    const buffer = logBuffer({ maxLines: 20, startOffset: 0 });
    for (let from = 0; from < 1_000; from += 10) buffer.push(lines(from, from + 10));
    const kept = texts(buffer.next(1_000)) ?? [];
    expect(kept.length).toBeLessThanOrEqual(21);
    expect(kept.slice(0, 3)).toEqual(['line 0', 'line 1', 'line 2']);
    expect(kept.at(-1)).toBe('line 999');
    const notes = kept.filter((text) => text.startsWith('[landfall:'));
    expect(notes).toHaveLength(1);
    const said = Number(/(\d+) lines/.exec(notes[0] ?? '')?.[1]);
    expect(said + kept.length - 1).toBe(1_000);
  });

  it('never changes what was sent and not acknowledged', () => {
    const buffer = logBuffer({ maxLines: 20, startOffset: 0 });
    buffer.push(lines(0, 18));
    const sent = buffer.next(18);
    for (let from = 18; from < 200; from += 1) buffer.push(lines(from, from + 1));
    expect(buffer.next(18)).toEqual(sent);
  });
});
