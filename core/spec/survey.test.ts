import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAlias, parseDocument, visit, type Alias, type Document } from 'yaml';
import { surveyOf } from './survey.ts';

function aliasesOf(document: Document): Alias[] {
  const found: Alias[] = [];
  visit(document, { Alias: (_key, alias) => void found.push(alias) });
  return found;
}

const word = fc.constantFrom(
  'a',
  'b: ',
  '? ',
  '"a": ',
  "'a'",
  '1',
  '1: ',
  '<<: ',
  '\n',
  '\n  ',
  '- ',
  '&a ',
  '&b ',
  '*a',
  '*b ',
  '{',
  '}',
  '[',
  ']',
  ',',
);
const text = fc.array(word, { maxLength: 30 }).map((words) => words.join(''));

describe('surveyOf', () => {
  it('finds the keys that yaml itself finds to stand twice', () => {
    fc.assert(
      fc.property(text, (given) => {
        const { errors } = parseDocument(given, { prettyErrors: false });
        const twice = errors.filter(({ code }) => code === 'DUPLICATE_KEY');
        const { repeated } = surveyOf(parseDocument(given, { uniqueKeys: false, prettyErrors: false }));
        if (errors.length === twice.length) expect(repeated).toHaveLength(twice.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds what yaml itself finds aliases to stand for', () => {
    fc.assert(
      fc.property(text, (given) => {
        const document = parseDocument(given, { uniqueKeys: false, prettyErrors: false });
        const { targets } = surveyOf(document);
        for (const alias of aliasesOf(document)) expect(targets.get(alias) === alias.resolve(document)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes time by the length of the document', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: &a${index} [*a${index}]`);
    const document = parseDocument(`{ ${keys.join(', ')} }`, { uniqueKeys: false, prettyErrors: false });
    const { repeated, targets } = surveyOf(document);
    expect([repeated.length, targets.size]).toEqual([0, 20_000]);
    expect([...targets.keys()].every(isAlias)).toBe(true);
  });
});
