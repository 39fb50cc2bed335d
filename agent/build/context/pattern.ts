/**
 * One pattern of a .dockerignore file or of a context request, compiled to what it matches.
 *
 * The rules are those of moby's patternmatcher, oddities included, because the daemon filters with it too: `**` spans
 * directories, and a pattern is first spelt as a Go regular expression, so `\d` is a digit and `^` an anchor.
 */
import { cleanPath } from './byte-path.ts';
import { BadPatternError, checkGlob } from './glob.ts';
import { compileGoRegExp } from './go-regexp.ts';

export interface Pattern {
  /** The cleaned pattern without its `!`. */
  readonly text: string;
  /** True for a pattern with `!`: what it matches is taken back. */
  readonly negated: boolean;
  matches(path: string): boolean;
}

type Compiled =
  | { readonly kind: 'exact' }
  | { readonly kind: 'prefix' }
  | { readonly kind: 'suffix' }
  | { readonly kind: 'expression'; readonly goSource: string };

/** `{`, `}` and `|` are not among them: in a pattern that becomes an expression they repeat and offer a choice. */
const escapedByMoby = new Set('.+()$');

interface Cursor {
  readonly characters: readonly string[];
  at: number;
}

/** Reads the second star and what follows; returns the source and whether the pattern ends here. */
function doubleStar(cursor: Cursor): { readonly atEnd: boolean } {
  cursor.at++;
  if (cursor.characters[cursor.at] === '/') cursor.at++;
  return { atEnd: cursor.at >= cursor.characters.length };
}

function literal(cursor: Cursor, character: string): { readonly source: string; readonly special: boolean } {
  if (character === '?') return { source: '[^/]', special: true };
  if (escapedByMoby.has(character)) return { source: `\\${character}`, special: false };
  if (character === '[' || character === ']') return { source: character, special: true };
  if (character !== '\\') return { source: character, special: false };
  const escaped = cursor.characters[cursor.at];
  if (escaped === undefined) return { source: '\\', special: false };
  cursor.at++;
  return { source: `\\${escaped}`, special: true };
}

function compile(text: string): Compiled {
  const cursor: Cursor = { characters: Array.from(text), at: 0 };
  let kind: Compiled['kind'] = 'exact';
  let source = '^';
  for (let step = 0; cursor.at < cursor.characters.length; step++) {
    const character = cursor.characters[cursor.at++] ?? '';
    if (character !== '*') {
      const part = literal(cursor, character);
      source += part.source;
      if (part.special) kind = 'expression';
    } else if (cursor.characters[cursor.at] !== '*') {
      source += '[^/]*';
      kind = 'expression';
    } else {
      if (!doubleStar(cursor).atEnd) {
        source += '(.*/)?';
        kind = 'expression';
      } else if (kind === 'exact') kind = 'prefix';
      else {
        source += '.*';
        kind = 'expression';
      }
      if (step === 0) kind = 'suffix';
    }
  }
  return kind === 'expression' ? { kind, goSource: `${source}$` } : { kind };
}

function matcher(text: string): (path: string) => boolean {
  const compiled = compile(text);
  switch (compiled.kind) {
    case 'exact':
      return (path) => path === text;
    case 'prefix': {
      const prefix = text.slice(0, -2);
      return (path) => path.startsWith(prefix);
    }
    case 'suffix': {
      const suffix = text.slice(2);
      return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
    }
    case 'expression': {
      const expression = compileGoRegExp(compiled.goSource, text);
      return (path) => expression.test(path);
    }
  }
}

/** Compiles when it is first asked: BuildKit does not refuse a malformed pattern that nothing depends on. */
function whenAsked(text: string): (path: string) => boolean {
  let compiled: ((path: string) => boolean) | null = null;
  return (path) => (compiled ??= matcher(text))(path);
}

/** `raw` is trimmed and not empty. Throws BadPatternError, as the pattern does when it is used. */
export function compilePattern(raw: string): Pattern {
  const cleaned = cleanPath(raw);
  const negated = cleaned.startsWith('!');
  const text = negated ? cleaned.slice(1) : cleaned;
  if (text === '') throw new BadPatternError(raw, 'nothing follows the "!"');
  checkGlob(text);
  return { text, negated, matches: whenAsked(text) };
}
