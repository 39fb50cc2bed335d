/**
 * Fields of a configuration file: each is written once and serves twice, as the reader that checks a YAML node (and says what is
 * wrong, at its line) and as the JSON Schema that editors use.
 */
import { isAlias, isMap, isScalar, isSeq, type Alias, type LineCounter, type Node, type Pair, type Scalar } from 'yaml';
import type { ConfigIssue } from './config.ts';
import { suggest } from './suggest.ts';

export type JsonSchema = Record<string, unknown>;

export type Field<T> = {
  schema: JsonSchema;
  /** null: it was wrong, and the issue is noted. */
  read(node: Node | null, at: Place): T | null;
};

/** Where the reader stands: the keys that lead here, and the node to point at when a value is missing. */
export type Place = { source: Source; keys: readonly string[]; anchor: Node | null };

export type Source = {
  path: string;
  /** What aliases stand for. */
  targets: ReadonlyMap<Alias, Node>;
  lines: LineCounter;
  issues: ConfigIssue[];
  /** Entries and nodes that may still be read: what an alias repeats counts each time, and an alias itself a hundred times. */
  budget: number;
};

export type ValueOf<F> = F extends Field<infer T> ? T : never;

export function note(at: Place, message: string, node: Node | null = at.anchor): null {
  const { lines, path, issues } = at.source;
  const [start, end] = node?.range ?? [0, 0];
  const line = Math.max(1, lines.linePos(start).line);
  const endLine = Math.max(line, lines.linePos(Math.max(start, end - 1)).line);
  const name = at.keys.map(short).join('.');
  issues.push({ path, line, endLine, message: name === '' ? message : `${name}: ${message}` });
  return null;
}

/** A key may be as long as the file. */
function short(key: string): string {
  return key.slice(0, 100);
}

/** The node that an alias stands for; null for nothing at all, which YAML reads as null. */
export function resolved(node: Node | null, at: Place): Node | null {
  at.source.budget -= 1;
  if (!isAlias(node)) return isScalar(node) && node.value === null ? null : node;
  at.source.budget -= 100;
  if (at.source.budget < 0) return null;
  const target = at.source.targets.get(node);
  return target ? resolved(target, at) : note(at, `nothing before this is named &${node.source}`, node);
}

export function child(at: Place, key: string, anchor: Node | null): Place {
  return { source: at.source, keys: [...at.keys, key], anchor };
}

/** A field of single values. `parse` answers the value, or what is wrong with it. */
export function scalar<T>(schema: JsonSchema, expected: string, parse: (value: Scalar) => T | Problem): Field<T> {
  return {
    schema,
    read(given, at) {
      const node = resolved(given, at);
      if (!isScalar(node)) return note(at, `expected ${expected}`, given ?? at.anchor);
      const value = parse(node);
      return value instanceof Problem ? note(at, value.message ?? `expected ${expected}`, given) : value;
    },
  };
}

/** What is wrong with a value; without words of its own, that it is not what was expected. */
export class Problem {
  readonly message: string | null;

  constructor(message: string | null = null) {
    this.message = message;
  }
}

type Fields = Record<string, Field<unknown>>;
type Values<F extends Fields> = { [K in keyof F]?: ValueOf<F[K]> };

/** A mapping of known keys, all of them optional. Unknown keys are wrong, unless they match `ignored`: those are not read. */
export function object<F extends Fields>(
  description: string,
  fields: F,
  { ignored }: { ignored?: string } = {},
): Field<Values<F>> {
  const known = Object.keys(fields);
  const properties = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.schema]));
  const free = ignored === undefined ? {} : { patternProperties: { [ignored]: {} } };
  const isIgnored = (key: string) => ignored !== undefined && new RegExp(ignored).test(key);
  return {
    schema: { type: ['object', 'null'], description, additionalProperties: false, properties, ...free },
    read(given, at) {
      const entries = readEntries(given, at);
      if (!entries) return null;
      const values: Partial<Record<keyof F, unknown>> = {};
      for (const { key, keyNode, value } of entries) {
        const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
        if (!field && isIgnored(key)) continue;
        if (!field) note(at, unknownKey(key, known), keyNode);
        else values[key as keyof F] = field.read(value, child(at, key, keyNode)) ?? undefined;
      }
      return values as Values<F>;
    },
  };
}

/** A mapping whose keys are names. */
export function mapOf<T>(
  key: { pattern: string; expected: string; maxEntries: number },
  { description, value }: { description: string; value: Field<T> },
): Field<Record<string, T>> {
  const pattern = new RegExp(key.pattern);
  return {
    schema: {
      type: ['object', 'null'],
      description,
      maxProperties: key.maxEntries,
      propertyNames: { pattern: key.pattern },
      additionalProperties: value.schema,
    },
    read(given, at) {
      const entries = readEntries(given, at);
      if (!entries) return null;
      if (entries.length > key.maxEntries) return note(at, `has more than ${key.maxEntries} entries`);
      const result: [string, T][] = [];
      for (const entry of entries) {
        if (!pattern.test(entry.key)) {
          note(at, `${JSON.stringify(short(entry.key))} is not ${key.expected}`, entry.keyNode);
          continue;
        }
        const read = value.read(entry.value, child(at, entry.key, entry.keyNode));
        if (read !== null) result.push([entry.key, read]);
      }
      return Object.fromEntries(result);
    },
  };
}

export function listOf<T>(description: string, item: Field<T>, maxItems: number): Field<T[]> {
  return {
    schema: { type: 'array', description, items: item.schema, maxItems },
    read(given, at) {
      const node = resolved(given, at);
      if (!isSeq<Node>(node)) return note(at, 'expected a list', given ?? at.anchor);
      if (node.items.length > maxItems) return note(at, `has more than ${maxItems} items`, node);
      const values = node.items.map((inner, index) => item.read(inner, child(at, String(index), inner)));
      return values.filter((value) => value !== null);
    },
  };
}

type Entry = { key: string; keyNode: Node | null; value: Node | null };

/** The entries of a mapping, those that it merges included: its own go before them, and among them the first. */
function readEntries(given: Node | null, at: Place): Entry[] | null {
  const node = resolved(given, at);
  if (at.source.budget < 0) return null;
  if (node === null) return [];
  if (!isMap<Node, Node | null>(node)) return note(at, 'expected a mapping of keys and values', given);
  at.source.budget -= node.items.length;
  const merges = node.items.filter(({ key }) => isMergeKey(key));
  const own = node.items.filter(({ key }) => !isMergeKey(key)).map(toEntry);
  const merged = merges.flatMap(({ key, value }) => mergedEntries(value, child(at, '<<', key)));
  const byKey = new Map([...own, ...merged].toReversed().map((entry) => [entry.key, entry]));
  return [...byKey.values()].toReversed();
}

function toEntry({ key, value }: Pair<Node, Node | null>): Entry {
  return { key: isScalar(key) ? String(key.value) : String(key), keyNode: key, value };
}

/** In quotes it is a key like any other. */
function isMergeKey(key: Node): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

/** Of a mapping or a list of mappings, mostly given as aliases. What is merged counts each time that it is. */
function mergedEntries(given: Node | null, at: Place): Entry[] {
  const node = resolved(given, at);
  if (!isSeq<Node>(node)) return mergedMapping(node, given, at);
  return node.items.flatMap((item) => mergedMapping(resolved(item, at), item, at));
}

function mergedMapping(node: Node | null, given: Node | null, at: Place): Entry[] {
  if (at.source.budget < 0) return [];
  if (!isMap(node)) {
    note(at, 'expected a mapping to merge, or a list of them', given ?? at.anchor);
    return [];
  }
  return readEntries(node, at) ?? [];
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = suggest(key, known);
  const hint = near === null ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
  return `unknown key ${JSON.stringify(short(key))}; ${hint}`;
}
