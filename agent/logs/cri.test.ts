import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../core/contract/logs.ts';
import { secretMask } from '../../core/log/mask.ts';
import { CriReader } from './cri.ts';

const start = { bytes: 0, nextOffset: 0, cut: [] };
const time = '2030-01-01T00:00:00Z';
const unmasked = secretMask([]);
const readerOf = (...secrets: string[]) => new CriReader(start, secretMask(secrets));
const read = (reader: CriReader, text: string) => reader.read(Buffer.from(text)).lines.map((line) => line.text);

it('reads time, output and text', () => {
  const { lines, consumed } = readerOf().read(Buffer.from('2030-01-01T00:00:00.123456789+00:00 stderr F it broke\n'));
  expect(lines).toEqual([{ at: '2030-01-01T00:00:00.123Z', text: 'it broke', error: true }]);
  expect(consumed).toBe(54);
});

it('leaves a line that is not whole for the next time', () => {
  const whole = `${time} stdout F one\n`;
  const reader = readerOf();
  const { lines, consumed } = reader.read(Buffer.from(`${whole}${time} stdout F tw`));
  expect([lines.map(({ text }) => text), consumed, reader.bytes]).toEqual([['one'], whole.length, whole.length]);
});

it('joins the pieces of a long line, and waits for the last of them', () => {
  const reader = readerOf();
  expect(read(reader, `${time} stdout P long \n`)).toEqual([]);
  expect(read(reader, `${time} stdout F line\n`)).toEqual(['long line']);
});

it('joins the pieces of each output by themselves', () => {
  const text = `${time} stdout P out \n${time} stderr P err \n${time} stdout F put\n${time} stderr F or\n`;
  expect(read(readerOf(), text)).toEqual(['out put', 'err or']);
});

it('joins a character that is cut by the border of two pieces', () => {
  const [one, two] = [Buffer.from('gr\u00fc\u00df').subarray(0, 3), Buffer.from('gr\u00fc\u00df').subarray(3)];
  const record = (kind: string, text: Buffer) =>
    Buffer.concat([Buffer.from(`${time} stdout ${kind} `), text, Buffer.from('\n')]);
  const { lines } = readerOf().read(Buffer.concat([record('P', one), record('F', two)]));
  expect(lines.map(({ text }) => text)).toEqual(['gr\u00fc\u00df']);
});

it('makes several lines of one that is longer than what the contract takes, and loses nothing of it', () => {
  const reader = readerOf();
  const lines = [
    ...read(reader, `${time} stdout P ${'x'.repeat(8_000)}\n`.repeat(5)),
    ...read(reader, `${time} stdout F ${'y'.repeat(20_000)}\n`),
  ];
  expect(lines.map(({ length }) => length)).toEqual([16_384, 16_384, 16_384, 10_848]);
  expect(lines.join('')).toBe('x'.repeat(40_000) + 'y'.repeat(20_000));
});

it('takes empty lines, and leaves out what is not written this way', () => {
  const text = `nonsense\nyesterday stdout F x\n${time} stdout F \n${time} stdout F\n`;
  expect(read(readerOf(), text)).toEqual(['', '']);
  const reader = readerOf();
  expect(reader.read(Buffer.alloc(64 * 1_024, 'x')).consumed).toBe(64 * 1_024);
  expect(read(reader, `xx\n${time} stdout F after\n`)).toEqual(['after']);
});

it('makes a line of what has no line end when nothing follows', () => {
  const reader = readerOf('hunter2');
  read(reader, `${time} stdout P last words of hunt\n`);
  expect(reader.close().map(({ text }) => text)).toEqual(['last words of hunt']);
  expect(reader.close()).toEqual([]);
});

describe('a secret', () => {
  const secret = 'S3CRET-value-0123456789-abcdefghij';
  const key = '-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----';

  /** As an engine writes what a program says: a record for each piece of a line. */
  function records(text: string, sizes: readonly number[], output = 'stdout'): string[] {
    const found: string[] = [];
    let size = 0;
    for (const line of text.split('\n')) {
      let rest = line;
      for (;;) {
        const length = Math.max(1, sizes[size++ % sizes.length] ?? 1);
        if (rest.length <= length) break;
        found.push(`${time} ${output} P ${rest.slice(0, length)}\n`);
        rest = rest.slice(length);
      }
      found.push(`${time} ${output} F ${rest}\n`);
    }
    return found;
  }

  it('P65: is masked wherever the borders of pieces, lines, chunks and the other output lie', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 6 });
    const input = fc.record({
      before: fc.integer({ min: 0, max: 40_000 }),
      after: fc.integer({ min: 0, max: 40_000 }),
      said: fc.constantFrom(secret, key, JSON.stringify({ key }), encodeURIComponent(secret)),
      sizes,
      error: fc.record({ before: fc.nat(100), sizes }),
      chunk: fc.integer({ min: 12_000, max: 64_000 }),
      mix: fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
    });
    fc.assert(
      fc.property(input, ({ before, after, said, sizes, error, chunk, mix }) => {
        const out = records(`${'x'.repeat(before)}${said}${'y'.repeat(after)}`, sizes);
        const err = records(`${'z'.repeat(error.before)}${secret}`, error.sizes, 'stderr');
        const mixed: string[] = [];
        for (let turn = 0; out.length + err.length > 0; turn += 1) {
          const [one, other] = mix[turn % mix.length] === true ? [out, err] : [err, out];
          mixed.push(...(one.length > 0 ? one : other).splice(0, 1));
        }
        const bytes = Buffer.from(mixed.join(''));
        const reader = readerOf(secret, key);
        const lines: LogLine[] = [];
        for (let at = 0; at < bytes.length;) {
          const { lines: more, consumed } = reader.read(bytes.subarray(at, at + chunk));
          lines.push(...more);
          at += Math.max(1, consumed);
        }
        const shown = (isError: boolean) =>
          lines
            .filter((line) => line.error === isError)
            .map(({ text }) => text)
            .join('');
        const whole = said
          .split('\n')
          .map(secretMask([secret, key]).text)
          .join('');
        expect(shown(false)).toBe(`${'x'.repeat(before)}${whole}${'y'.repeat(after)}`);
        expect(whole).toMatch(/^(\{"key":"\*\*\*"\}|(\*\*\*)+)$/);
        expect(shown(true)).toBe(`${'z'.repeat(error.before)}***`);
        expect(lines.every(({ text }) => text.length <= 16_384)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('P65: is masked at every place around the length at which lines are cut', () => {
    for (let before = 16_384 - secret.length - 2; before <= 16_384 + 2; before += 1) {
      const reader = readerOf(secret);
      const text = `${'x'.repeat(before)}${secret}${'y'.repeat(9_000)}`;
      const lines = records(text, [8_192]).flatMap((record) => read(reader, record));
      expect(lines.join('')).toBe(`${'x'.repeat(before)}***${'y'.repeat(9_000)}`);
    }
  });

  it('P65: is not shown by half by whoever begins to read in the middle of its line', () => {
    const rest = `${time} stdout P CRET-value-01\n${time} stdout F 23456789-abcdefghij\n`;
    const reader = new CriReader({ ...start, cut: ['stdout', 'stderr'] }, secretMask([secret]));
    expect(read(reader, `${rest}${time} stdout F next\n${time} stderr F end\n${time} stderr F next error\n`)).toEqual([
      'next',
      'next error',
    ]);
  });
});

describe('a place', () => {
  it('is where the earliest open line begins, so that what is read from there is the same', () => {
    const pieces = fc.array(
      fc.record({
        output: fc.constantFrom('stdout', 'stderr'),
        kind: fc.constantFrom('P', 'F'),
        length: fc.nat(9_000),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(pieces, fc.nat(20), (given, stopAt) => {
        const text = given.map(({ output, kind, length }) => `${time} ${output} ${kind} ${'x'.repeat(length)}\n`);
        const whole = new CriReader(start, unmasked).read(Buffer.from(text.join('')));
        const first = new CriReader(start, unmasked);
        first.read(Buffer.from(text.slice(0, stopAt).join('')));
        const place = first.place();
        const again = new CriReader(place, unmasked).read(Buffer.from(text.join('')).subarray(place.bytes));
        expect(again.lines).toEqual(whole.lines.slice(place.nextOffset));
      }),
    );
  });

  it('in a file that goes on from another one says whose first line is cut', () => {
    const reader = readerOf();
    read(reader, `${time} stdout F one\n${time} stdout P two\n`);
    reader.turn();
    expect(reader.place()).toEqual({ bytes: 0, nextOffset: 1, cut: ['stdout'] });
    expect(read(reader, `${time} stderr F three\n${time} stdout F four\n`)).toEqual(['three', 'twofour']);
    expect(reader.place()).toMatchObject({ nextOffset: 3, cut: [] });
  });
});
