/** Sees whether the npm packages in node_modules are those of package-lock.json, and installs them when not. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { runQuietly } from './child.mjs';
import { Failure } from './failure.mjs';

/**
 * The first package that is missing or of another version; null when all are there. npm writes what it has installed
 * to node_modules/.package-lock.json as the last thing it does. Optional packages are those of other platforms.
 * @param {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} wanted
 * @param {Record<string, { version?: string }>} installed
 */
export function firstDifference(wanted, installed) {
  for (const [location, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (location === '') continue;
    const here = installed[location];
    if (here === undefined && (optional === true || devOptional === true)) continue;
    if (here === undefined || here.version !== version) return location.replace(/^node_modules\//, '');
  }
  return null;
}

/** @param {string} file @returns {Record<string, { version?: string }>} Empty when there is no such file. */
function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

/** The npm that started us, so that no other version on PATH is used; else the one on PATH. */
function npm() {
  const script = process.env.npm_execpath;
  return script !== undefined && script.endsWith('.js') ? [process.execPath, script] : ['npm'];
}

/** npm says why first and how it is used in general afterwards. */
const firstErrors = (output) =>
  output
    .split('\n')
    .filter((line) => /^npm (error|ERR!) \S/.test(line))
    .slice(0, 8)
    .join('\n');

async function install(root, report) {
  const [command, ...first] = npm();
  const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev', '--loglevel=error'];
  const startedAt = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  report('installing npm packages, as package-lock.json lists them (about a minute)');
  const heartbeat = setInterval(() => report(`  npm: still at it, ${seconds()}`), 20_000);
  try {
    const { code, output } = await runQuietly(command, args, { cwd: root });
    if (code !== 0)
      throw new Failure(
        `The npm packages could not be installed: npm ci ended with ${code}.\n${firstErrors(output) || output.trim()}\nMend what npm names above (often the network or the disk), then run the command again.`,
      );
  } finally {
    clearInterval(heartbeat);
  }
  report(`  npm: ready after ${seconds()}`);
}

/** Whether all of them are there. @param {string} root */
export function hasPackages(root) {
  const wanted = lockedPackages(path.join(root, 'package-lock.json'));
  const installed = lockedPackages(path.join(root, 'node_modules', '.package-lock.json'));
  return firstDifference(wanted, installed) === null;
}

/** @param {string} root @param {(line: string) => void} report */
export async function ensurePackages(root, report) {
  if (hasPackages(root)) return;
  try {
    await install(root, report);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new Failure(
      'npm is not on PATH. Install it with Node (https://nodejs.org/en/download) and run the command again.',
    );
  }
}
