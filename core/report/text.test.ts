import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clip, clipLines, fenced, inline, lastLines, plain } from './text.ts';

const wild = fc.string({ unit: 'binary' });

describe('plain', () => {
  it('takes out colours, control characters and halves of characters', () => {
    expect(plain('\u001b[1;31mred\u001b[0m\u0000 \u0007ok\r\nnext\tone \ud83d end \ud83d\ude00')).toBe(
      'red ok\nnext\tone \ufffd end 😀',
    );
    expect(plain('\u001b]0;title\u0007after')).toBe('after');
  });
});

describe('inline', () => {
  it('P71: leaves no markup, no border and no mention', () => {
    expect(inline('a | b\n`c` <img src=x> @team [x](y) **z** & #1')).toBe(
      'a \\| b \\`c\\` &lt;img src=x&gt; @\u200bteam \\[x\\]\\(y\\) \\*\\*z\\*\\* &amp; \\#1',
    );
  });
});

describe('fenced', () => {
  it('is not ended by anything in the text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('`', '``', '```', '````', '\n', 'x', '~~~'), { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        const lines = fenced(text).split('\n');
        const fence = /^`+/.exec(lines[0]!)![0];
        expect(lines.at(-1)).toBe(fence);
        expect(fence.length).toBeGreaterThanOrEqual(3);
        expect(text).not.toContain(fence);
      }),
    );
  });
});

describe('limits', () => {
  it('hold for any text', () => {
    fc.assert(
      fc.property(wild, fc.integer({ min: 60, max: 200 }), (text, limit) => {
        expect(clip(text, limit).length).toBeLessThanOrEqual(limit);
        expect(Buffer.byteLength(clipLines(text.repeat(9), limit))).toBeLessThanOrEqual(limit);
        expect(Buffer.byteLength(lastLines(text.repeat(9).split('x'), limit).join('\n'))).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('keep whole characters and say what is missing', () => {
    expect(clip('12345😀', 7)).toBe('12345😀');
    expect(clip('12345😀8', 7)).toBe('12345…');
    expect(clipLines('line\n'.repeat(50), 100)).toMatch(/^(line\n)+.*\n\n\(The rest is left out/s);
    expect(lastLines(['a', 'b', 'c'], 4)).toEqual(['b', 'c']);
  });
});
