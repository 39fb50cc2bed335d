/** Turns the regular expressions that a pattern becomes from Go's syntax into JavaScript's; throws where Go's compiler refuses. */
import { messageOf } from '../../../platform/errors/classify.ts';
import { BadPatternError, quote, quoteMember } from './glob.ts';

const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** Escapes that name a set of characters, for use inside and outside of a class. */
const setEscapes: Readonly<Record<string, string>> = {
  d: '\\d',
  D: '\\D',
  w: '\\w',
  W: '\\W',
  s: '\\t\\n\\f\\r ',
};
const controlEscapes: Readonly<Record<string, string>> = {
  a: '\\x07',
  f: '\\f',
  n: '\\n',
  r: '\\r',
  t: '\\t',
  v: '\\v',
};
/** In groups, because Go lets an assertion be repeated. */
const assertions: Readonly<Record<string, string>> = { A: '(?:^)', z: '(?:$)', b: '(?:\\b)', B: '(?:\\B)' };

interface Reader {
  readonly characters: readonly string[];
  readonly pattern: string;
  at: number;
}

function refuse(reader: Reader, reason: string): never {
  throw new BadPatternError(reader.pattern, reason);
}

/** The literal that an escape stands for, in JavaScript's spelling. */
function literalEscape(reader: Reader, escaped: string | undefined, spell: (character: string) => string): string {
  if (escaped === undefined) refuse(reader, 'it ends in a backslash');
  const control = controlEscapes[escaped];
  if (control !== undefined) return control;
  if (!/[!-/:-@[-`{-~ ]/.test(escaped)) refuse(reader, `"\\${escaped}" is no escape`);
  return spell(escaped);
}

function escape(reader: Reader): string {
  const escaped = reader.characters[reader.at + 1];
  reader.at += 2;
  if (escaped === 'S') return '[^\\t\\n\\f\\r ]';
  const set = escaped === undefined ? undefined : setEscapes[escaped];
  if (set !== undefined) return `[${set}]`;
  const assertion = escaped === undefined ? undefined : assertions[escaped];
  return assertion ?? literalEscape(reader, escaped, quote);
}

function posixClass(reader: Reader): string | null {
  const rest = reader.characters.slice(reader.at, reader.at + 12).join('');
  const name = /^\[:([a-z]+):\]/.exec(rest)?.[1];
  if (name === undefined) return null;
  reader.at += name.length + 4;
  return posixClasses[name] ?? refuse(reader, `[:${name}:] is no character class`);
}

function classMember(reader: Reader): string {
  const character = reader.characters[reader.at];
  if (character === undefined) refuse(reader, 'a class is not closed with "]"');
  if (character !== '\\') {
    reader.at++;
    return quoteMember(character);
  }
  const escaped = reader.characters[reader.at + 1];
  reader.at += 2;
  return literalEscape(reader, escaped, quoteMember);
}

function classRange(reader: Reader): string {
  const low = classMember(reader);
  const next = reader.characters[reader.at + 1];
  if (reader.characters[reader.at] !== '-' || next === undefined || next === ']') return low;
  reader.at++;
  return `${low}-${classMember(reader)}`;
}

function characterClass(reader: Reader): string {
  reader.at++;
  let source = '[';
  if (reader.characters[reader.at] === '^') {
    source += '^';
    reader.at++;
  }
  for (let first = true; first || reader.characters[reader.at] !== ']'; first = false) {
    const escaped = reader.characters[reader.at] === '\\' ? reader.characters[reader.at + 1] : undefined;
    const set = escaped === undefined ? undefined : setEscapes[escaped];
    const named = reader.characters[reader.at] === '[' ? posixClass(reader) : null;
    if (named !== null) source += named;
    else if (set !== undefined) {
      source += set;
      reader.at += 2;
    } else source += classRange(reader);
  }
  reader.at++;
  return `${source}]`;
}

/** `{2}`, `{2,}` or `{2,4}`; any other brace is a brace. */
function repetition(reader: Reader): string {
  const rest = reader.characters.slice(reader.at, reader.at + 12).join('');
  const counts = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
  if (counts === null) {
    reader.at++;
    return '\\{';
  }
  if (counts.slice(1).some((count) => Number(count) > 1000)) refuse(reader, 'it repeats more than 1000 times');
  reader.at += counts[0].length;
  return counts[0];
}

function plain(character: string): string {
  if (character === '.') return '[^\\n]';
  if (character === '^') return '(?:^)';
  return character === ']' || character === '}' ? `\\${character}` : character;
}

export function compileGoRegExp(goSource: string, pattern: string): RegExp {
  const reader: Reader = { characters: Array.from(goSource), pattern, at: 0 };
  let source = '';
  for (let character = reader.characters[0]; character !== undefined; character = reader.characters[reader.at]) {
    if (character === '[') source += characterClass(reader);
    else if (character === '\\') source += escape(reader);
    else if (character === '{') source += repetition(reader);
    else {
      reader.at++;
      source += plain(character);
    }
  }
  try {
    return new RegExp(source, 'u');
  } catch (cause) {
    throw new BadPatternError(pattern, messageOf(cause));
  }
}
