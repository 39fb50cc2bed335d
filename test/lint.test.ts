/** Shows that the lint rules fire: each on a sample, with the configuration that `npm run lint` has for that file. */
import path from 'node:path';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const eslint = new ESLint({ cwd: root });

/** What the rules that need no types say of this text, were it that file. */
async function messages(file: string, text: string): Promise<string[]> {
  const config = (await eslint.calculateConfigForFile(path.join(root, file))) as Linter.Config;
  const rules = Object.fromEntries(
    Object.entries(config.rules ?? {}).filter(([name]) => name.startsWith('no-restricted-') || name.startsWith('max-')),
  );
  const parser = tseslint.parser as Linter.Parser;
  const found = new Linter().verify(text, [{ files: ['**'], languageOptions: { parser }, rules }], file);
  return found.map(({ message }) => message);
}

/** One file of each kind that the configuration tells apart. */
const files = [
  'core/spec/parse.ts',
  'platform/log/log.ts',
  'platform/config/config.ts',
  'prisma/client.ts',
  'bot/start.ts',
  'api/start.ts',
  'worker/start.ts',
  'agent/process/run.ts',
  'agent/flags.test.ts',
  'agent/build.e2e.test.ts',
  'sandbox/git/git.ts',
  'cli/main.ts',
  'cli/build.mjs',
  'test/parts.ts',
  'bench/main.ts',
];

const shells = [
  `import { exec } from 'node:child_process';`,
  `import { execSync as run } from 'child_process';`,
  `import { 'exec' as run } from 'node:child_process';`,
  `import * as processes from 'node:child_process';`,
  `import processes from 'node:child_process';`,
  `import { spawn as start } from 'node:child_process';`,
  `export * from 'node:child_process';`,
  `export { exec } from 'node:child_process';`,
  `const { exec } = await import('node:child_process');`,
  `const { exec } = require('node:child_process');`,
  `const { exec } = process.getBuiltinModule('node:child_process');`,
  `spawn(name, [], { shell: true });`,
  `spawn(name, [], { 'shell': '/bin/bash' });`,
  'spawn(name, [], { shell: `/bin/${name}` });',
  `spawn('sh', ['-c', name]);`,
  `execFile('/bin/bash', ['-lc', name]);`,
  `execFileSync('/usr/bin/dash', ['-e', '-c', name]);`,
  `spawnSync('zsh', words);`,
  `run({ argv: ['sh', '-c', name] });`,
  `run({ argv: ['setpriv', '--', 'sh', '-c', name] });`,
  `run({ argv: [...['bash', '-ec', name]] });`,
  `start('nsenter', '-t', pid, 'sh', '-c', name);`,
];

const fine = [
  `import { execFile, spawn } from 'node:child_process';`,
  `execFile('git', ['-c', 'core.bare=false', name]);`,
  `spawn('git', ['push', 'finish', '-c', name], { shell: false });`,
  `run({ argv: ['sh', script, '--data', folder] });`,
  `spawn('sh', [script]);`,
  `pattern.exec(name);`,
  `deploy({ command: ['/bin/sh', '-c', name] });`,
];

describe('P66: lint bans the shell', () => {
  it.each(files)('in %s', async (file) => {
    for (const sample of shells)
      expect(await messages(file, sample), sample).toContainEqual(expect.stringContaining('No shell strings'));
    for (const sample of fine)
      expect(await messages(file, sample), sample).not.toContainEqual(expect.stringContaining('No shell strings'));
  });
});

describe('lint', () => {
  it.each([
    ['api/start.ts', 'process.env', /Only platform\/config reads the environment/],
    ['core/spec/parse.ts', 'new Date()', /The clock is an argument/],
    ['core/spec/parse.ts', 'async function wait() { await 0; }', /it never waits/],
    ['core/spec/parse.ts', `import { readFileSync } from 'node:fs';`, /core\/ may not import node:fs/],
    [
      'core/spec/parse.ts',
      `import { createLog } from '../../platform/log/log.ts';`,
      /core\/ may not import platform\//,
    ],
    ['agent/start.ts', `import { Queue } from 'bullmq';`, /agent\/ may not import bullmq/],
    ['agent/start.ts', `import { openDatabase } from '../prisma/client.ts';`, /agent\/ may not import prisma\//],
  ])('in %s refuses %s', async (file, text, words) => {
    expect(await messages(file, text)).toContainEqual(expect.stringMatching(words));
  });

  it('lets platform/config read the environment', async () => {
    expect(await messages('platform/config/config.ts', 'process.env')).toEqual([]);
  });

  it('refuses a function past 70 lines, but for suites of tests', async () => {
    const long = (lines: number): string => `function long() {\n${'step();\n\n// why\n'.repeat(lines - 2)}}`;
    for (const file of files) {
      expect(await messages(file, long(70)), file).toEqual([]);
      const refusals = file.endsWith('.test.ts') ? [] : [expect.stringContaining('too many lines (71)')];
      expect(await messages(file, long(71)), file).toEqual(refusals);
    }
  });
});
