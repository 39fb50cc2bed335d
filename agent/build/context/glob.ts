/** Shell globs as Go's filepath.Match reads them: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a literal character. */

export class BadPatternError extends Error {
  override readonly name = 'BadPatternError';
  readonly pattern: string;
  constructor(pattern: string, reason: string) {
    super(`The pattern ${JSON.stringify(pattern)} is malformed: ${reason}.`);
    this.pattern = pattern;
  }
}

interface Scanner {
  readonly pattern: string;
  readonly characters: readonly string[];
  at: number;
}

/** One character of a class, which may be escaped; `-` and `]` must be. */
function classCharacter(scanner: Scanner): string {
  let character = scanner.characters[scanner.at];
  if (character === '-' || character === ']') {
    throw new BadPatternError(scanner.pattern, `"${character}" stands where a character of a class is expected`);
  }
  if (character === '\\') character = scanner.characters[++scanner.at];
  scanner.at++;
  if (character === undefined || scanner.at >= scanner.characters.length) {
    throw new BadPatternError(scanner.pattern, 'a class is not closed with "]"');
  }
  return character;
}

/** The character as JavaScript's expressions spell it outside of a class. */
export function quote(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

/** The character as a member of a class. */
export function quoteMember(character: string): string {
  return character === '-' ? '\\-' : quote(character);
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function classSource(scanner: Scanner): string {
  scanner.at++;
  const negated = scanner.characters[scanner.at] === '^';
  if (negated) scanner.at++;
  let ranges = '';
  while (ranges === '' || scanner.characters[scanner.at] !== ']') {
    const low = classCharacter(scanner);
    let high = low;
    if (scanner.characters[scanner.at] === '-') {
      scanner.at++;
      high = classCharacter(scanner);
    }
    // A range that runs backwards is no error to Go; it holds nothing.
    ranges += codePoint(low) <= codePoint(high) ? `${quoteMember(low)}-${quoteMember(high)}` : '\\u{10ffff}';
  }
  scanner.at++;
  return `[${negated ? '^' : ''}${ranges}]`;
}

function escapedSource(scanner: Scanner): string {
  const character = scanner.characters[scanner.at + 1];
  if (character === undefined) throw new BadPatternError(scanner.pattern, 'it ends in a backslash');
  scanner.at += 2;
  return quote(character);
}

function globSource(pattern: string): string {
  const scanner: Scanner = { pattern, characters: Array.from(pattern), at: 0 };
  let source = '';
  for (let character = scanner.characters[0]; character !== undefined; character = scanner.characters[scanner.at]) {
    if (character === '[') source += classSource(scanner);
    else if (character === '\\') source += escapedSource(scanner);
    else {
      scanner.at++;
      source += character === '*' ? '[^/]*' : character === '?' ? '[^/]' : quote(character);
    }
  }
  return source;
}

/** The expression that matches what the glob matches. Throws BadPatternError. */
export function globExpression(pattern: string): RegExp {
  return new RegExp(`^${globSource(pattern)}$`, 'u');
}

interface Chunk {
  /** Whether stars stand before it. */
  readonly star: boolean;
  readonly text: string;
}

/** Splits at the stars that are neither escaped nor within brackets. */
function chunks(pattern: string): readonly Chunk[] {
  const found: Chunk[] = [];
  let rest = pattern;
  while (rest !== '') {
    const bare = rest.replace(/^\*+/, '');
    let inClass = false;
    let end = 0;
    for (; end < bare.length; end++) {
      const character = bare[end];
      if (character === '\\') end++;
      else if (character === '[') inClass = true;
      else if (character === ']') inClass = false;
      else if (character === '*' && !inClass) break;
    }
    found.push({ star: bare !== rest, text: bare.slice(0, end) });
    rest = bare.slice(end);
  }
  return found;
}

/**
 * Throws BadPatternError for what BuildKit refuses before it uses a pattern. It matches the pattern against "." and looks
 * no further than the first part that does not fit; a mistake behind that shows, if at all, when the pattern is compiled.
 */
export function checkGlob(pattern: string): void {
  let name = '.';
  const all = chunks(pattern);
  for (const [index, { star, text }] of all.entries()) {
    if (star && text === '') return;
    const expression = new RegExp(`^${globSource(text)}`, 'u');
    const fits = (candidate: string): boolean => {
      const matched = expression.exec(candidate)?.[0];
      return matched !== undefined && (matched === candidate || index < all.length - 1);
    };
    const start = [name, ...(star && name !== '' ? [''] : [])].find(fits);
    if (start === undefined) return;
    name = start.replace(expression, '');
  }
}

export function hasWildcard(name: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*[*?[]/.test(name);
}
