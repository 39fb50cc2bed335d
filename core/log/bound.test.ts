import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../contract/logs.ts';
import { boundLog } from './bound.ts';

const line = (text: string): LogLine => ({ at: '2030-01-01T00:00:00.000Z', text, error: false });

function run(texts: readonly string[], maxBytes: number): string[] {
  const bound = boundLog({ maxBytes });
  const passed = texts.flatMap((text) => bound.push(line(text)));
  return [...passed, ...bound.end()].map(({ text }) => text);
}

describe('boundLog', () => {
  it('passes a log that fits on unchanged, and its beginning at once', () => {
    const texts = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    expect(run(texts, 10_000)).toEqual(texts);
    expect(boundLog({ maxBytes: 10_000 }).push(line('first'))).toEqual([line('first')]);
  });

  it('keeps beginning and end, and says what is left out between', () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `line ${index}`);
    const kept = run(texts, 400);
    const note = kept.findIndex((text) => text.startsWith('…'));
    expect(kept.slice(0, note)).toEqual(texts.slice(0, note));
    expect(kept.slice(note + 1)).toEqual(texts.slice(note + 1 - kept.length));
    expect(kept[note]).toMatch(/^… \d+ lines \(\d+ bytes\) are left out here: the log is longer than 400 bytes …$/);
    expect(Number(/\d+/.exec(kept[note]!)![0])).toBe(1_000 - (kept.length - 1));
  });

  it('holds its limit for any log, and keeps the order', () => {
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 80 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 200, max: 5_000 }), (given, maxBytes) => {
        const numbered = given.map((text, index) => `${index}:${text}`);
        const kept = run(numbered, maxBytes);
        expect(kept.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)).toBeLessThanOrEqual(maxBytes);
        const numbers = kept.filter((text) => /^\d/.test(text)).map((text) => parseInt(text, 10));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });

  it('clips a line to what the contract takes', () => {
    const [shown] = run(['x'.repeat(100_000)], 1_000_000);
    expect([shown?.length, shown?.at(-1)]).toEqual([16_384, '…']);
  });
});
