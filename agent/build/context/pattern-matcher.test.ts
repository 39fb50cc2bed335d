import fc from 'fast-check';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { BadPatternError } from './glob.ts';
import { patternMatcher, type ParentMatches } from './pattern-matcher.ts';
import recorded from './pattern-matcher.recorded.json' with { type: 'json' };

/** `refused` at once, `malformed` when the pattern was used. */
const Answer = Type.Union([Type.Boolean(), Type.Literal('refused'), Type.Literal('malformed')]);
type Answer = Static<typeof Answer>;

/** What BuildKit's own matcher said, recorded. */
const Recorded = Type.Array(Type.Tuple([Type.Array(Type.String()), Type.Record(Type.String(), Answer)]));
const table = Value.Parse(Recorded, recorded);

function answer(patterns: readonly string[], path: string): Answer {
  let stage: Answer = 'refused';
  try {
    const matcher = patternMatcher(patterns);
    stage = 'malformed';
    return matcher.match(path).matched;
  } catch (error) {
    if (error instanceof BadPatternError) return stage;
    throw error;
  }
}

describe('patterns', () => {
  it.each(table)('%j match as they do in BuildKit', (patterns, answers) => {
    const ours = Object.fromEntries(Object.keys(answers).map((path) => [path, answer(patterns, path)]));
    expect(ours).toEqual(answers);
  });

  it('are trimmed, and empty ones are left out', () => {
    expect(patternMatcher([' a ', '', '\t']).patterns.map(({ text }) => text)).toEqual(['a']);
  });

  it('name themselves when they are refused', () => {
    expect(() => patternMatcher(['[a'])).toThrow('The pattern "[a" is malformed');
  });
});

const name = fc.stringMatching(/^[a-c.]{1,3}$/).filter((text) => text !== '.' && text !== '..');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const glob = fc
  .array(fc.oneof(name, fc.constantFrom('*', '**', '?', 'a*')), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));

describe('any patterns', () => {
  it('match a path that is spelt out', () => {
    fc.assert(fc.property(path, (text) => patternMatcher([text]).match(text).matched));
  });

  it('match what lies below a match', () => {
    fc.assert(
      fc.property(glob, path, name, (pattern, parent, child) => {
        const matcher = patternMatcher([pattern]);
        fc.pre(matcher.match(parent).matched);
        return matcher.match(`${parent}/${child}`).matched;
      }),
    );
  });

  it('match nothing when all is taken back, and all when all is named last', () => {
    fc.assert(
      fc.property(fc.array(glob), path, (patterns, text) => {
        expect(patternMatcher([...patterns, '!**']).match(text).matched).toBe(false);
        expect(patternMatcher([...patterns, '**']).match(text).matched).toBe(true);
      }),
    );
  });

  it('match the same with what is known of the parents as without', () => {
    fc.assert(
      fc.property(fc.array(glob, { minLength: 1 }), path, (patterns, text) => {
        const matcher = patternMatcher(patterns);
        const parts = text.split('/');
        let parent: ParentMatches | undefined;
        for (let depth = 1; depth < parts.length; depth++) {
          parent = matcher.match(parts.slice(0, depth).join('/'), parent).matches;
        }
        expect(matcher.match(text, parent).matched).toBe(matcher.match(text).matched);
      }),
    );
  });
});
