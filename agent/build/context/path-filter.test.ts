import { describe, expect, it } from 'vitest';
import { pathFilter, type FilterPatterns } from './path-filter.ts';

function kind(layers: readonly FilterPatterns[], path: string, isDirectory: boolean): string {
  return pathFilter(layers).decide(path, isDirectory, undefined).kind;
}

describe('a filter', () => {
  it.each<[string, readonly FilterPatterns[], string, boolean, string]>([
    ['wants all without patterns', [], 'a', false, 'wanted'],
    ['wants all with an empty layer', [{}], 'a', true, 'wanted'],
    ['skips an excluded directory', [{ exclude: ['a'] }], 'a', true, 'skipped'],
    ['looks into an excluded one for what is taken back', [{ exclude: ['a', '!a/b/c'] }], 'a', true, 'searched'],
    ['looks no further than the exception goes', [{ exclude: ['a', '!b/c'] }], 'a', true, 'skipped'],
    ['looks everywhere for an exception with a star', [{ exclude: ['a', '!**/c'] }], 'a', true, 'searched'],
    ['goes down to an included path', [{ include: ['a/b'] }], 'a', true, 'searched'],
    ['does not confuse a name with its beginning', [{ include: ['ab/c'] }], 'a', true, 'skipped'],
    ['skips a file that is not included', [{ include: ['a/b'] }], 'c', false, 'skipped'],
    ['treats a trailing star as the directory', [{ include: ['a/*'] }], 'a', true, 'searched'],
    ['wants what every layer wants', [{ exclude: ['a'] }, { include: ['a'] }], 'a', false, 'skipped'],
    ['includes nothing for a blank pattern', [{ include: [''] }], 'a', false, 'skipped'],
  ])('%s', (_, layers, path, isDirectory, expected) => {
    expect(kind(layers, path, isDirectory)).toBe(expected);
  });

  it('knows from a directory what holds for its entries', () => {
    const filter = pathFilter([{ exclude: ['a', '!a/b'] }]);
    const directory = filter.decide('a', true, undefined);
    if (directory.kind === 'skipped') throw new Error('The directory was skipped.');
    expect(filter.decide('a/b', false, directory.matches).kind).toBe('wanted');
    expect(filter.decide('a/c', false, directory.matches).kind).toBe('skipped');
  });
});
