import { describe, expect, it } from 'vitest';
import { commandWords, cpuMillis, durationMs, sizeBytes, sizeText } from './units.ts';

describe('units', () => {
  it.each([
    ['5s', 5_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['0s', 0],
    ['5', null],
    ['s', null],
    ['5 s', null],
    ['-5s', null],
  ])('reads the duration %s as %s ms', (text, ms) => expect(durationMs(text)).toBe(ms));

  it.each([
    ['256Mi', 268_435_456],
    ['1.5Gi', 1_610_612_736],
    ['500M', 500_000_000],
    ['256', null],
    ['256MB', null],
  ])('reads the size %s as %s bytes', (text, bytes) => expect(sizeBytes(text)).toBe(bytes));

  it.each(['256Mi', '1536Mi', '500M', '1Gi', '4T', '1001 bytes'])('writes %s bytes so again', (text) => {
    expect(sizeText(sizeBytes(text) ?? parseInt(text, 10))).toBe(text);
  });

  it.each([
    ['0.5', 500],
    ['2', 2_000],
    ['250m', 250],
    ['1e3', null],
  ])('reads the cores %s as %s thousandths', (text, millis) => expect(cpuMillis(text)).toBe(millis));
});

describe('commandWords', () => {
  it.each([
    ['node server.js', ['node', 'server.js']],
    [`echo 'two words' "and \\"these\\""`, ['echo', 'two words', 'and "these"']],
    [`a''b c"d e"f ''`, ['ab', 'cd ef', '']],
    ['one\\ word', ['one word']],
    ['  spaced \t out ', ['spaced', 'out']],
    [`run -c 'a && b | c'`, ['run', '-c', 'a && b | c']],
    ['echo $HOME', ['echo', '$HOME']],
  ])('splits %s', (text, words) => expect(commandWords(text)).toEqual({ ok: true, words }));

  it.each(['a && b', 'a | b', 'a; b', 'a > b', '$(a)', 'a `b`', `'open`, 'a \\', '', '   '])('refuses %s', (text) => {
    expect(commandWords(text).ok).toBe(false);
  });
});
