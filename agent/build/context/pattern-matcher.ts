/** Decides whether a path matches a list of patterns: the last pattern that says something wins, and a match holds for what lies below. */
import { trimSpace } from './go-space.ts';
import { compilePattern, type Pattern } from './pattern.ts';

/** For each pattern, whether it matched a directory or one of its parents; handed down while a tree is walked. */
export type ParentMatches = readonly boolean[];

export interface MatchResult {
  readonly matched: boolean;
  readonly matches: ParentMatches;
}

export interface PatternMatcher {
  readonly patterns: readonly Pattern[];
  /** `parent` is the result for the directory that holds the path; without it every parent is looked at. */
  match(path: string, parent?: ParentMatches): MatchResult;
}

function matchesSomeParent(pattern: Pattern, path: string): boolean {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    if (pattern.matches(path.slice(0, slash))) return true;
  }
  return false;
}

/** Throws BadPatternError for a pattern that BuildKit would refuse too. */
export function patternMatcher(rawPatterns: readonly string[]): PatternMatcher {
  const patterns = rawPatterns
    .map(trimSpace)
    .filter((raw) => raw !== '')
    .map(compilePattern);
  return {
    patterns,
    match(path, parent) {
      let matched = false;
      const matches = patterns.map((pattern, index) => {
        let match = parent?.[index] ?? false;
        if (!match) {
          // An including pattern has nothing to add to a match, a negated one nothing to take from a miss.
          if (pattern.negated !== matched) return false;
          match = pattern.matches(path) || (parent === undefined && matchesSomeParent(pattern, path));
        }
        if (match) matched = !pattern.negated;
        return match;
      });
      return { matched, matches };
    },
  };
}
