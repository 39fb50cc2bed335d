/** Understands the text of `landfall.yml`, or says everything that is wrong with it, line by line. */
import { CST, Lexer, LineCounter, Parser, isMap, parseDocument, type Document, type Node } from 'yaml';
import type { ConfigIssue, ProjectConfig } from './config.ts';
import { fileField } from './file.ts';
import { note, type Place, type Source } from './field.ts';
import { toProjectConfig } from './normalise.ts';
import { suggest } from './suggest.ts';
import { surveyOf } from './survey.ts';

export type ParsedConfig = { ok: true; config: ProjectConfig } | { ok: false; issues: ConfigIssue[] };

const maxCharacters = 128 * 1_024;
const maxDepth = 30;
const maxTokens = 40_000;
const maxNodes = 20_000;
const maxIssues = 100;

/** `path` is the file's name in the repository: it stands in the issues. Never throws on bad text. */
export function parseProjectConfig(text: string, path: string): ParsedConfig {
  const atFirstLine = (message: string): ParsedConfig => ({
    ok: false,
    issues: [{ path, line: 1, endLine: 1, message }],
  });
  if (text.length > maxCharacters) return atFirstLine(`The file is longer than ${maxCharacters} characters.`);
  if (isTooDeep(text)) return atFirstLine(`The file is nested deeper than ${maxDepth} levels.`);
  if (hasTooMuch(text)) return { ok: false, issues: [tooMuch(path)] };

  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const { repeated, targets } = surveyOf(document);
  const source: Source = { path, targets, lines, issues: [], budget: maxNodes };
  noteSyntax(document, repeated, source);
  return source.issues.length === 0 ? read(document, source) : { ok: false, issues: sorted(source.issues) };
}

function read(document: Document, source: Source): ParsedConfig {
  const root: Place = { source, keys: [], anchor: document.contents };
  const file = fileField.read(document.contents, root);
  if (source.budget < 0) return { ok: false, issues: [tooMuch(source.path)] };
  if (file) {
    const config = toProjectConfig(file, (keys, message) =>
      note({ source, keys, anchor: null }, message, nodeAt(document, keys)),
    );
    noteUnknownServices(document, config, source);
    if (source.issues.length === 0) return { ok: true, config };
  }
  return { ok: false, issues: sorted(source.issues) };
}

function tooMuch(path: string): ConfigIssue {
  return {
    path,
    line: 1,
    endLine: 1,
    message: 'The file holds too much, or repeats itself too often through aliases.',
  };
}

function noteUnknownServices(document: Document, config: ProjectConfig, source: Source): void {
  const known = Object.keys(config.services);
  for (const [environment, { services }] of Object.entries(config.environments)) {
    for (const service of Object.keys(services).filter((name) => !known.includes(name))) {
      if (source.issues.length >= maxIssues) return;
      const near = suggest(service, known);
      const keys = ['environments', environment, 'services', service];
      const message = `there is no such service; ${near ? `did you mean ${near}?` : `known: ${known.join(', ')}`}`;
      note({ source, keys, anchor: null }, message, nodeAt(document, keys));
    }
  }
}

/** The key's node, so that an issue points at the line where the key stands. */
function nodeAt(document: Document, keys: readonly string[]): Node | null {
  const parent = document.getIn(keys.slice(0, -1), true);
  const pair = isMap<Node>(parent) ? parent.items.find((item) => String(item.key) === keys.at(-1)) : undefined;
  if (pair) return pair.key;
  return keys.length > 1 ? nodeAt(document, keys.slice(0, -1)) : document.contents;
}

function noteSyntax(document: Document, repeated: readonly Node[], source: Source): void {
  const twice = repeated.map(({ range }) => ({ pos: range ?? [0, 0], message: 'Map keys must be unique' }));
  for (const { pos, message } of [...document.errors.slice(0, maxIssues), ...twice.slice(0, maxIssues)]) {
    const line = Math.max(1, source.lines.linePos(pos[0]).line);
    const endLine = Math.max(line, source.lines.linePos(pos[1]).line);
    source.issues.push({ path: source.path, line, endLine, message: `This is not valid YAML: ${message}` });
  }
}

function sorted(issues: ConfigIssue[]): ConfigIssue[] {
  return issues.toSorted((a, b) => a.line - b.line || (a.message < b.message ? -1 : 1)).slice(0, maxIssues);
}

/** Before anything is made of it: what comes later takes time and memory by the number of tokens. */
function hasTooMuch(text: string): boolean {
  let tokens = 0;
  for (const _token of new Lexer().lex(text)) if (++tokens > maxTokens) return true;
  return false;
}

/** Measured on tokens, without recursion: the composer would exhaust the stack on what this refuses. */
function isTooDeep(text: string): boolean {
  const open: { token: CST.Token; depth: number }[] = [...new Parser().parse(text)].map((token) => ({
    token,
    depth: 0,
  }));
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > maxDepth) return true;
    for (const token of childrenOf(next.token)) open.push({ token, depth: next.depth + 1 });
  }
  return false;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value ? [token.value] : [];
  if (!CST.isCollection(token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((inner) => inner !== undefined && inner !== null));
}
