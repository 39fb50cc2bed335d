/** Holds the import rules of docs/architecture.md over every import of the tree, type imports and re-exports included. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { layers } from './layers.js';

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

  it('lets only main.ts files of bot, api, worker and agent, and cli, construct clients', () => {
    const constructing = /\bnew (PrismaClient|Probot|Redis|Queue|Worker|Octokit)\b/;
    const offenders = ['core', 'bot', 'api', 'worker', 'agent']
      .flatMap(sources)
      .filter((file) => !file.endsWith('/main.ts') && constructing.test(readFileSync(path.join(root, file), 'utf8')));
    expect(offenders).toEqual([]);
  });
});
