/** Decides for each path of a walk whether it is wanted, and whether anything below an unwanted directory could be. */
import { patternMatcher, type ParentMatches, type PatternMatcher } from './pattern-matcher.ts';

export interface FilterPatterns {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** What one layer's patterns said of a directory. */
interface LayerMatches {
  readonly include: ParentMatches;
  readonly exclude: ParentMatches;
}

/** What every layer said of a directory, handed to the decisions about its entries. */
export type DirectoryMatches = readonly LayerMatches[];

export type Decision =
  | { readonly kind: 'wanted'; readonly matches: DirectoryMatches }
  /** Not wanted itself, but something below it may be; its parents are sent once something is. */
  | { readonly kind: 'searched'; readonly matches: DirectoryMatches }
  | { readonly kind: 'skipped' };

export interface PathFilter {
  /** `path` is text, relative to the root; `parent` is undefined for entries of the root. */
  decide(path: string, isDirectory: boolean, parent: DirectoryMatches | undefined): Decision;
}

type LayerDecision =
  { readonly kind: 'wanted' | 'searched'; readonly matches: LayerMatches } | { readonly kind: 'skipped' };

interface Layer {
  decide(path: string, isDirectory: boolean, parent: LayerMatches | undefined): LayerDecision;
}

const special = /[*[\]?^\\]/;

function withoutTrailingGlob(text: string): string {
  return text.replace(/\/\*\*$/, '').replace(/\/\*$/, '');
}

/** The places below which a match can lie, or null when that cannot be told from the patterns' text. */
function literalPlaces(matcher: PatternMatcher, negated: boolean): readonly string[] | null {
  const places = matcher.patterns
    .filter((pattern) => pattern.negated === negated)
    .map((pattern) => withoutTrailingGlob(pattern.text));
  return places.some((place) => special.test(place)) ? null : places;
}

function mayHoldMatch(directory: string, places: readonly string[] | null): boolean {
  return places === null || places.some((place) => `${place}/`.startsWith(`${directory}/`));
}

const none: ParentMatches = [];

function layer(patterns: FilterPatterns): Layer {
  const include = patternMatcher(patterns.include ?? []);
  const exclude = patternMatcher(patterns.exclude ?? []);
  const includePlaces = literalPlaces(include, false);
  const exceptionPlaces = literalPlaces(exclude, true);
  const includesAll = (patterns.include ?? []).length === 0;
  const excludesNothing = exclude.patterns.length === 0;
  return {
    decide(path, isDirectory, parent) {
      const included = includesAll ? { matched: true, matches: none } : include.match(path, parent?.include);
      if (!included.matched && !(isDirectory && mayHoldMatch(path, includePlaces))) return { kind: 'skipped' };
      const excluded = excludesNothing ? { matched: false, matches: none } : exclude.match(path, parent?.exclude);
      if (excluded.matched && !(isDirectory && mayHoldMatch(path, exceptionPlaces))) return { kind: 'skipped' };
      const matches = { include: included.matches, exclude: excluded.matches };
      return { kind: included.matched && !excluded.matched ? 'wanted' : 'searched', matches };
    },
  };
}

/** Wants what every layer wants. A layer without include patterns includes everything. Throws BadPatternError. */
export function pathFilter(layers: readonly FilterPatterns[]): PathFilter {
  const compiled = layers.map(layer);
  return {
    decide(path, isDirectory, parent) {
      const matches: LayerMatches[] = [];
      let kind: 'wanted' | 'searched' = 'wanted';
      for (const [index, one] of compiled.entries()) {
        const decision = one.decide(path, isDirectory, parent?.[index]);
        if (decision.kind === 'skipped') return decision;
        if (decision.kind === 'searched') kind = 'searched';
        matches.push(decision.matches);
      }
      return { kind, matches };
    },
  };
}
