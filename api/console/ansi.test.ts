import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAnsi } from './ansi.ts';

const text = (line: string) => parseAnsi(line).map((segment) => segment.text);

describe('parseAnsi', () => {
  it('keeps colours as names', () => {
    expect(parseAnsi('a\u001b[31;1mb\u001b[0mc')).toEqual([
      { text: 'a', styles: [] },
      { text: 'b', styles: ['ansi-red', 'ansi-bold'] },
      { text: 'c', styles: [] },
    ]);
    expect(parseAnsi('\u001b[92mok\u001b[39m.')[0]).toEqual({ text: 'ok', styles: ['ansi-green'] });
  });

  it('drops cursor movements, titles, hyperlinks and control characters', () => {
    expect(text('\u001b[2K\u001b[1Aone\u0007\u0000')).toEqual(['one']);
    expect(text('\u001b]0;title\u0007two').join('')).toBe('two');
    expect(text('\u001b]8;;javascript:alert(1)\u001b\\three\u001b]8;;\u001b\\').join('')).toBe('three');
  });

  it('shows 256 colours as plain text', () => {
    expect(parseAnsi('\u001b[38;5;196mx')).toEqual([{ text: 'x', styles: [] }]);
  });

  it('P71: leaves no control character and only known names, whatever the line', () => {
    const alphabet = fc.constantFrom('\u001b', '[', ']', 'm', '3', '1', ';', '\u0007', '<', '\u009b', 'é', '\r');
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), (characters) => {
        for (const segment of parseAnsi(characters.join(''))) {
          // eslint-disable-next-line no-control-regex
          expect(segment.text).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
          for (const name of segment.styles) expect(name).toMatch(/^ansi-[a-z]+$/);
        }
      }),
    );
  });
});
