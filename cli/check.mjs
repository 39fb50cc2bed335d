/**
 * `npm run check`: is what is committed well formed? Format, types and lint side by side, after everything that is
 * generated was generated again and found to be what is committed.
 */
import path from 'node:path';
import process from 'node:process';
import { runQuietly } from './bootstrap/child.mjs';
import { filesBelow, hashFile } from './bootstrap/content.mjs';
import { fail } from './bootstrap/failure.mjs';
import { ensurePackages } from './bootstrap/packages.mjs';

const root = path.join(import.meta.dirname, '..');
const modules = path.join(root, 'node_modules');
const cache = (name) => path.join(modules, '.cache', name);
const report = (line) => console.error(line);

const commands = [
  {
    name: 'format',
    // Its own place for the cache: plain prettier looks there too, and stumbles over anything else.
    args: ['prettier/bin/prettier.cjs', '--check', '.', '--cache'],
    mend: 'npm run format',
  },
  { name: 'types', args: ['typescript/bin/tsc', '--noEmit'], mend: 'the lines above' },
  {
    name: 'lint',
    args: ['eslint/bin/eslint.js', '.', '--cache', '--cache-location', `${cache('eslint')}/`],
    mend: 'the lines above',
  },
];

/** Generated files: whatever lies in a folder `gen/`, and JSON, which some generators write beside it. */
function generatedFiles() {
  const files = filesBelow(root).filter((file) => file.includes(`${path.sep}gen${path.sep}`) || file.endsWith('.json'));
  return new Map(files.map((file) => [path.relative(root, file), hashFile(file)]));
}

/** @returns {string[]} Names of files that one has and the other has not, or with other content. */
function changedFiles(before, after) {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

async function checkGenerated() {
  const before = generatedFiles();
  const { generate } = await import('./prepare.mjs');
  await generate(() => undefined);
  const changed = changedFiles(before, generatedFiles());
  if (changed.length === 0) return { passed: true, output: '' };
  const list = changed.map((name) => `  ${name}`).join('\n');
  return {
    passed: false,
    output: `Generated again, these are not what was committed. Commit them as they are now:\n${list}`,
  };
}

async function runCommand({ args: [script, ...args], mend }) {
  const { code, output } = await runQuietly(process.execPath, [path.join(modules, script), ...args], { cwd: root });
  return { passed: code === 0, output: code === 0 ? '' : `${output.trim()}\nMend with: ${mend}` };
}

async function timed(name, run) {
  const startedAt = Date.now();
  const { passed, output } = await run();
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${passed ? 'passed' : 'FAILED'}  ${name} (${seconds} s)${output === '' ? '' : `\n${output}\n`}`);
  return { name, passed };
}

async function check() {
  await ensurePackages(root, report);
  const { prepare } = await import('./prepare.mjs');
  await prepare(report);
  // First and alone: the others read what it writes.
  const generated = await timed('generated files', checkGenerated);
  const others = await Promise.all(commands.map((command) => timed(command.name, () => runCommand(command))));
  const failed = [generated, ...others].filter(({ passed }) => !passed).map(({ name }) => name);
  console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}.`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

check().catch(fail);
