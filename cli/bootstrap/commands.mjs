/** The commands of a fresh clone: each prepares what it lacks, says so, and then runs. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { runNode } from './child.mjs';
import { fail, Failure } from './failure.mjs';
import { ensurePackages, hasPackages } from './packages.mjs';
import { insistOnStart } from './start.mjs';
import { askedVersion } from './version.mjs';

const root = path.join(import.meta.dirname, '..', '..');
const report = (line) => console.error(line);
const commandLine = path.join(root, 'dist', 'cli.js');

/** npm packages, what is generated, and the bundles, in this order: each needs the one before. */
async function prepareCheckout() {
  await ensurePackages(root, report);
  const { prepare } = await import('../prepare.mjs');
  const { build } = await import('../build.mjs');
  await prepare(report);
  await build(report);
}

/** The command line runs in this process: signals reach it at once and its exit code is ours. */
async function landfall(args) {
  const version = askedVersion(args, root);
  if (version !== null) return void console.log(version);
  // With everything prepared the command itself refuses in a moment, and knows more.
  if (args[0] === 'up' && !hasPackages(root)) await insistOnStart(root, args.slice(1));
  await prepareCheckout();
  process.argv = [process.execPath, commandLine, ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(commandLine).href);
}

async function installTestTools() {
  const code = await runNode([commandLine, 'tools', 'install', '--for', 'test', '--quiet'], { cwd: root });
  if (code !== 0)
    throw new Failure('The tests need the programs named above, and none of them was skipped in silence.');
}

async function test(args) {
  await prepareCheckout();
  await installTestTools();
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', `--reporter=${path.join(root, 'test', 'reporter.ts')}`];
  process.exitCode = await runNode([vitest, 'run', ...reporters, ...args], { cwd: root });
}

async function bench(args) {
  await prepareCheckout();
  await installTestTools();
  const script = path.join(root, 'bench', 'main.ts');
  if (!existsSync(script))
    throw new Failure(`${path.relative(root, script)} is missing: run this in a whole checkout.`);
  process.exitCode = await runNode(['--expose-gc', '--import', 'tsx', script, ...args], { cwd: root });
}

const commands = new Map([
  ['up', (args) => landfall(['up', ...args])],
  ['test', test],
  ['bench', bench],
]);

/** @param {string[]} argv The command and its arguments. */
export function run([name, ...args]) {
  const command = commands.get(name);
  if (command !== undefined) return command(args).catch(fail);
  fail(new Failure(`Usage: node cli/bootstrap.mjs ${[...commands.keys()].join('|')} [arguments]`));
  return Promise.resolve();
}

/** @param {string[]} args */
export function runLandfall(args) {
  return landfall(args).catch(fail);
}
