import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { nodeObstacle } from './node-version.mjs';

it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('takes Node %s', (version) => {
  expect(nodeObstacle(version)).toBeNull();
});

it.each(['20.18.3', '18.20.0', '12.22.12', '0.10.48'])(
  'refuses Node %s in one sentence that says what to do',
  (version) => {
    expect(nodeObstacle(version)).toMatch(
      new RegExp(
        `needs Node 20\\.19 or later, and this is Node ${version}\\. Install Node 24 .* run the command again\\.$`,
      ),
    );
  },
);

const entries = ['../bootstrap.mjs', '../landfall.mjs', 'node-version.mjs'];

/** What the compiler writes for a version of the language; a dynamic import() is all that goes beyond ES2019. */
function writtenFor(target: ts.ScriptTarget, text: string): string {
  return ts.transpileModule(text, { compilerOptions: { target, module: ts.ModuleKind.ESNext } }).outputText;
}

it.each(entries)('%s is in syntax that Node 12 can read, so that it can refuse there', (entry) => {
  const text = readFileSync(path.join(import.meta.dirname, entry), 'utf8');
  expect(writtenFor(ts.ScriptTarget.ES2019, text)).toBe(writtenFor(ts.ScriptTarget.ESNext, text));
  expect(text).not.toMatch(/from 'node:/);
  expect(text).not.toMatch(/^\s*await /m);
});
