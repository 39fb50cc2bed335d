/** Reads from a Dockerfile the port that its image declares. */
import { firstWord, instructions, quotedWords } from './dockerfile-lines.ts';

type Variables = Map<string, string>;

type Stage = { name: string | null; parent: Stage | null; ports: number[]; variables: Variables };

type Reading = { stages: Stage[]; globals: Variables; args: Record<string, string>; work: number };

/** Of one instruction: a longer one says nothing about a port. */
const maxLength = 16_384;
/** Of a variable: a longer one is taken for one that is not set. */
const maxValue = 4_096;
/** Variables that stages take from each other, and characters that come of variables. What comes after so many is not read. */
const maxWork = 262_144;

/**
 * The first TCP port that the target stage (or the last) exposes, itself or through the stages it is made from. Whatever the file
 * says, it takes time by its length, and memory by what may come of its variables.
 */
export function exposedPort(
  dockerfile: string,
  { target, args }: { target: string | null; args: Record<string, string> },
): number | null {
  const reading: Reading = { stages: [], globals: new Map(), args, work: maxWork };
  for (const { keyword, rest } of instructions(dockerfile)) {
    if (rest.length <= maxLength) read(keyword, rest, reading);
    if (reading.work < 0) break;
  }
  const wanted = target?.toLowerCase() ?? null;
  let stage = wanted === null ? reading.stages.at(-1) : reading.stages.find(({ name }) => name === wanted);
  for (; stage; stage = stage.parent ?? undefined) {
    const [port] = stage.ports;
    if (port !== undefined) return port;
  }
  return null;
}

function read(keyword: string, rest: string, reading: Reading): void {
  const stage = reading.stages.at(-1);
  if (keyword === 'FROM') reading.stages.push(newStage(rest, reading));
  else if (keyword === 'ARG') readArg(rest, reading);
  else if (keyword === 'ENV' && stage) readEnv(rest, stage.variables, reading);
  else if (keyword === 'EXPOSE' && stage)
    stage.ports.push(...tcpPorts(substitute(rest, stage.variables, reading) ?? ''));
}

function newStage(rest: string, reading: Reading): Stage {
  const { stages, globals } = reading;
  const [image, as, name] = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
  const base = (substitute(image ?? '', globals, reading) ?? '').toLowerCase();
  const parent = stages.findLast((stage) => stage.name === base) ?? null;
  reading.work -= stages.length + (parent?.variables.size ?? 0);
  return {
    name: as?.toUpperCase() === 'AS' && name ? name.toLowerCase() : null,
    parent,
    ports: [],
    variables: new Map(parent?.variables),
  };
}

function readArg(rest: string, reading: Reading): void {
  const { globals, args } = reading;
  const variables = reading.stages.at(-1)?.variables ?? globals;
  for (const { name, value } of assignments(rest)) {
    if (Object.hasOwn(args, name)) set(variables, name, args[name] ?? null);
    else if (value !== null) set(variables, name, substitute(value, variables, reading));
    else if (globals.has(name)) set(variables, name, globals.get(name) ?? null);
  }
}

function readEnv(rest: string, variables: Variables, reading: Reading): void {
  const [first, other] = firstWord(rest);
  const pairs = first.includes('=') ? assignments(rest) : [{ name: first, value: other }];
  const values = pairs.map(({ name, value }) => ({ name, value: substitute(value ?? '', variables, reading) }));
  for (const { name, value } of values) set(variables, name, value);
}

function set(variables: Variables, name: string, value: string | null): void {
  if (value === null || value.length > maxValue) variables.delete(name);
  else variables.set(name, value);
}

function assignments(rest: string): { name: string; value: string | null }[] {
  return quotedWords(rest).map((word) => {
    const at = word.indexOf('=');
    return at < 0 ? { name: word, value: null } : { name: word.slice(0, at), value: unquoted(word.slice(at + 1)) };
  });
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/s, '$2');
}

/**
 * `$NAME`, `${NAME}`, `${NAME:-other}`, `${NAME:+other}`; what is not known is empty, and a brace that nothing closes is closed by
 * the end. Null when more comes of it than a variable holds.
 */
function substitute(text: string, variables: Variables, reading: Reading): string | null {
  const reference = /\$(?:\{(\w+)(?::([-+])([^}]*))?(?:\}|$)|(\w+))/g;
  const parts: string[] = [];
  let [length, end] = [0, 0];
  for (const match of text.matchAll(reference)) {
    const value = valueOf(match, variables);
    parts.push(text.slice(end, match.index), value);
    end = match.index + match[0].length;
    length += value.length;
    reading.work -= 1 + value.length;
    if (length > maxValue || reading.work < 0) return null;
  }
  return parts.join('') + text.slice(end);
}

function valueOf([, braced, operator, other = '', plain]: RegExpExecArray, variables: Variables): string {
  const value = variables.get(braced ?? plain ?? '') ?? '';
  if (operator === '-') return value === '' ? other : value;
  if (operator === '+') return value === '' ? '' : other;
  return value;
}

function tcpPorts(text: string): number[] {
  return text.split(/\s+/).flatMap((word) => {
    const match = /^(\d{1,5})(?:-\d{1,5})?(?:\/tcp)?$/i.exec(unquoted(word));
    const port = Number(match?.[1] ?? 0);
    return port >= 1 && port <= 65_535 ? [port] : [];
  });
}
