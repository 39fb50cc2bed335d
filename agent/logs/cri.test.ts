import { expect, it } from 'vitest';
import { parseCri } from './cri.ts';

const parse = (text: string) => parseCri(Buffer.from(text));

it('reads time, stream and text', () => {
  const { lines, consumed } = parse('2030-01-01T00:00:00.123456789+00:00 stderr F it broke\n');
  expect(lines).toEqual([{ line: { at: '2030-01-01T00:00:00.123Z', text: 'it broke', error: true }, endsAt: 54 }]);
  expect(consumed).toBe(54);
});

it('leaves a line that is not whole for the next time', () => {
  const whole = '2030-01-01T00:00:00Z stdout F one\n';
  const { lines, consumed } = parse(`${whole}2030-01-01T00:00:00Z stdout F tw`);
  expect(lines.map(({ line }) => line.text)).toEqual(['one']);
  expect(consumed).toBe(whole.length);
});

it('joins the pieces of a long line, and waits for the last of them', () => {
  const pieces = '2030-01-01T00:00:00Z stdout P long \n';
  expect(parse(pieces)).toEqual({ lines: [], consumed: 0 });
  expect(parse(`${pieces}2030-01-01T00:00:00Z stdout F line\n`).lines.map(({ line }) => line.text)).toEqual([
    'long line',
  ]);
});

it('cuts a line that never ends at what the contract takes', () => {
  const piece = `2030-01-01T00:00:00Z stdout P ${'x'.repeat(8_000)}\n`;
  const { lines } = parse(piece.repeat(3));
  expect(lines.map(({ line }) => line.text.length)).toEqual([16_384]);
});

it('takes empty lines, and leaves out what is not written this way', () => {
  const text = 'nonsense\n2030-01-01T00:00:00Z stdout F \n2030-01-01T00:00:00Z stdout F\n';
  expect(parse(text).lines.map(({ line }) => line.text)).toEqual(['', '']);
});
