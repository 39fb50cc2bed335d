import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotedWords } from './dockerfile-lines.ts';

describe('quotedWords', () => {
  it.each([
    ['A=1 B="x y"  C=\'z "\'', ['A=1', 'B="x y"', "C='z \"'"]],
    ['A=x"y z"w "a\\" b"', ['A=x"y z"w', '"a\\" b"']],
    ['A="open B=2', ['A="open B=2']],
    ["A='open B=2", ["A='open B=2"]],
    ['"\\', ['"\\']],
    ['  ', []],
  ])('cuts %s', (text, words) => expect(quotedWords(text)).toEqual(words));

  it('loses nothing but the white space between words', () => {
    const text = fc.array(fc.constantFrom('a', '=', ' ', '\t', '"', "'", '\\', '$')).map((parts) => parts.join(''));
    const blank = (from: string): string => from.replace(/\s/g, '');
    fc.assert(fc.property(text, (given) => blank(quotedWords(given).join(' ')) === blank(given)));
  });

  it('takes time by the length of what it cuts, whatever is in it', () => {
    for (const part of ['\\"', '"', "'", 'a ', '="', ' "a\\'])
      expect(quotedWords(`"${part.repeat(200_000)}`).length).toBeGreaterThan(0);
  });
});
