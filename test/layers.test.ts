/** Holds the import rules of docs/architecture.md over every import of the tree, type imports and re-exports included. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { clients, layers } from './layers.js';

const root = path.resolve(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

interface Import {
  file: string;
  target: string;
}

function importsOf(file: string): Import[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(path.join(root, file), 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => ({
    file,
    target: fileName.startsWith('.') ? path.relative(root, path.resolve(root, path.dirname(file), fileName)) : fileName,
  }));
}

function violation({ file, target }: Import): string | null {
  const folder = file.split('/')[0] ?? '';
  const rules = layers[folder];
  if (rules === undefined) return null;
  const other = target.split('/')[0] ?? '';
  if (other in layers && other !== folder && !rules.mayImport.includes(other)) return `${file} imports ${target}`;
  const only = rules.onlyOf?.[other]?.map((path) => `${other}/${path}`);
  if (only?.some((path) => (path.endsWith('/') ? target.startsWith(path) : target === path)) === false)
    return `${file} imports ${target}`;
  const banned = rules.bannedPackages.find((name) => target === name || target.startsWith(`${name}/`));
  return banned === undefined ? null : `${file} imports the package ${banned}`;
}

describe('layers', () => {
  it.each(Object.keys(layers))('%s/ imports only what it may', (folder) => {
    const files = sources(folder);
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap(importsOf).map(violation).filter(Boolean)).toEqual([]);
  });

  it('reports a forbidden folder, a forbidden package and a deep path of it', () => {
    expect(violation({ file: 'core/a.ts', target: 'platform/log/log.ts' })).toBe(
      'core/a.ts imports platform/log/log.ts',
    );
    expect(violation({ file: 'agent/a.ts', target: 'platform/crypto/envelope.ts' })).toBe(
      'agent/a.ts imports platform/crypto/envelope.ts',
    );
    expect(violation({ file: 'agent/a.ts', target: 'platform/errors/errors.ts' })).toBeNull();
    expect(violation({ file: 'agent/a.ts', target: 'bullmq' })).toBe('agent/a.ts imports the package bullmq');
    expect(violation({ file: 'agent/a.ts', target: '@octokit/rest' })).toBe('agent/a.ts imports the package @octokit');
    expect(violation({ file: 'bot/a.ts', target: 'prisma/client/client.ts' })).toBeNull();
  });

  it('lets only prisma/ reach the generated client', () => {
    const outside = Object.keys(layers).filter((folder) => folder !== 'prisma');
    const reaching = outside
      .flatMap((folder) => sources(folder).flatMap(importsOf))
      .filter(({ target }) => target.startsWith('prisma/client/'))
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(reaching).toEqual([]);
  });

  it('says in docs/architecture.md what the table says', () => {
    const page = readFileSync(path.join(root, 'docs', 'architecture.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)\/` +\|[^|]*\| ([^|]+?) +\|$/gm)];
    const named = rows.map(([, folder = '', may = '']) => [
      folder,
      [...may.matchAll(/`(\w+)`/g)].map(([, one]) => one),
    ]);
    const { cli, ...others } = Object.fromEntries(named) as Record<string, string[]>;
    // It says `all`.
    expect(cli).toEqual([]);
    expect({ ...others, cli: layers['cli']?.mayImport }).toEqual(
      Object.fromEntries(Object.entries(layers).map(([folder, { mayImport }]) => [folder, mayImport])),
    );
    const code = '`([^`]+)`';
    const clientRow = new RegExp(`^\\| ${code} +\\|[^|]*\\| ${code} +\\| ${code} +\\|$`, 'gm');
    expect([...page.matchAll(clientRow)].map(([, module, opens, by]) => [module, opens, by])).toEqual(
      Object.entries(clients).map(([module, { opens, by }]) => [module, ...opens, ...by]),
    );
  });
});

describe('clients of other processes', () => {
  const everywhere = Object.keys(layers).flatMap(sources);
  const isForTests = (file: string): boolean => /(^|\/)testing(\/|\.ts$)/.test(file);
  const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

  it('are constructed by one module each', () => {
    const found = everywhere.map((file) => [file, constructedIn(file, read(file))] as const);
    const constructing = found.filter(([file, packages]) => packages.length > 0 && !isForTests(file));
    const wanted = Object.entries(clients).map(([file, { packages }]) => [file, packages.toSorted()] as const);
    expect(Object.fromEntries(constructing)).toEqual(
      Object.fromEntries(wanted.filter(([, names]) => names.length > 0)),
    );
  });

  it('are opened where the table says, and nowhere else', () => {
    expect(everywhere.filter((file) => !isForTests(file)).flatMap((file) => opening(file, read(file)))).toEqual([]);
  });

  it('are found by name, by namespace, under another name, as a subclass and as a variant', () => {
    expect(constructedIn('a.ts', `import { Queue as Q } from 'bullmq'; new Q('a');`)).toEqual(['bullmq']);
    expect(constructedIn('a.ts', `import pg from 'pg'; const pool = () => new pg.Pool();`)).toEqual(['pg']);
    expect(constructedIn('a.ts', `import * as b from 'bullmq'; new b.Worker('a');`)).toEqual(['bullmq']);
    expect(
      constructedIn('a.ts', `import { Octokit } from '@octokit/rest'; const Own = Octokit.plugin(x); new Own();`),
    ).toEqual(['@octokit/rest']);
    expect(constructedIn('a.ts', `import { Redis } from 'ioredis'; class Own extends Redis {} new Own();`)).toEqual([
      'ioredis',
    ]);
    expect(
      constructedIn('platform/a.ts', `import { PrismaClient } from '../prisma/client/client.ts'; new PrismaClient();`),
    ).toEqual(['prisma/client/client.ts']);
    expect(constructedIn('a.ts', `import type { Queue } from 'bullmq'; new Map<string, Queue>();`)).toEqual([]);
    expect(constructedIn('a.ts', `import { DelayedError } from 'bullmq'; throw new DelayedError();`)).toEqual([]);
  });

  it('are not opened elsewhere, under whatever name', () => {
    const line = `import { openDatabase as open } from '../../prisma/client.ts';`;
    expect(opening('worker/intents/a.ts', line)).toEqual([
      'worker/intents/a.ts opens openDatabase of prisma/client.ts',
    ]);
    expect(opening('worker/intents/a.ts', `import * as all from '../../prisma/client.ts';`)).toHaveLength(1);
    expect(opening('worker/intents/a.ts', `import type { Database } from '../../prisma/client.ts';`)).toEqual([]);
    expect(opening('worker/intents/a.ts', `import { transaction } from '../../prisma/client.ts';`)).toEqual([]);
    expect(opening('cli/server/a.ts', line)).toEqual([]);
    expect(opening('prisma/a.ts', `import { openDatabase } from './client.ts';`)).toHaveLength(1);
    const socket = `import { engineSocket } from '../podman/socket.ts';`;
    expect(opening('agent/loop/a.ts', socket)).toHaveLength(1);
    expect(opening('agent/podman/a.ts', socket)).toEqual([]);
  });
});

interface Named {
  /** In this file. */
  local: string;
  /** In the module that it comes from; null: the whole module. */
  imported: string | null;
  target: string;
}

function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

/** Values that a file imports, one by one. */
function valuesOf(file: string, source: ts.SourceFile): Named[] {
  return source.statements.filter(ts.isImportDeclaration).flatMap(({ importClause, moduleSpecifier }) => {
    if (!ts.isStringLiteral(moduleSpecifier) || importClause === undefined || isTypeOnly(importClause)) return [];
    const target = resolved(file, moduleSpecifier.text);
    const bindings = importClause.namedBindings;
    const whole = importClause.name === undefined ? [] : [{ local: importClause.name.text, imported: null, target }];
    if (bindings === undefined) return whole;
    if (ts.isNamespaceImport(bindings)) return [...whole, { local: bindings.name.text, imported: null, target }];
    const named = bindings.elements.filter((one) => !one.isTypeOnly);
    return [
      ...whole,
      ...named.map(({ name, propertyName }) => ({ local: name.text, imported: (propertyName ?? name).text, target })),
    ];
  });
}

function isTypeOnly(clause: ts.ImportClause): boolean {
  return clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function resolved(file: string, specifier: string): string {
  return specifier.startsWith('.') ? path.join(path.dirname(file), specifier) : specifier;
}

/** `a` of `a`, `a.b`, `a.b()`. */
function rootName(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootName(node.expression);
  return '';
}

const clientPackages = new Set(Object.values(clients).flatMap(({ packages }) => packages));
/** How an import of one ends, whatever it is relative to. */
const lastNames = [...clientPackages].map((name) => name.split('/').at(-1) ?? '');

/** Packages of which a file constructs a client; errors are no clients. */
function constructedIn(file: string, text: string): string[] {
  if (!/\bnew\b/.test(text) || !lastNames.some((name) => text.includes(`${name}'`))) return [];
  const source = parse(file, text);
  const packageOf = new Map<string, string>();
  for (const { local, target } of valuesOf(file, source)) if (clientPackages.has(target)) packageOf.set(local, target);
  const constructed = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined)
      derive(node.name.text, rootName(node.initializer));
    if (ts.isClassDeclaration(node) && node.name !== undefined)
      for (const clause of node.heritageClauses ?? [])
        for (const { expression } of clause.types) derive(node.name.text, rootName(expression));
    if (ts.isNewExpression(node) && !node.expression.getText().endsWith('Error')) {
      const target = packageOf.get(rootName(node.expression));
      if (target !== undefined) constructed.add(target);
    }
    node.forEachChild(visit);
  };
  const derive = (name: string, from: string): void => {
    const target = packageOf.get(from);
    if (target !== undefined) packageOf.set(name, target);
  };
  visit(source);
  return [...constructed].sort();
}

/** Imports of what opens a client, where the table does not name the file. */
function opening(file: string, text: string): string[] {
  const modules = Object.entries(clients).filter(([, { opens }]) => opens.some((name) => text.includes(name)));
  if (modules.length === 0 && !text.includes('import *')) return [];
  return valuesOf(file, parse(file, text)).flatMap(({ imported, target }) => {
    const { opens, by } = clients[target] ?? { opens: [], by: [] };
    const may = by.some((one) => file === one || (one.endsWith('/') && file.startsWith(one)));
    const found = opens.filter((name) => imported === null || imported === name);
    return may ? [] : found.map((name) => `${file} opens ${name} of ${target}`);
  });
}
