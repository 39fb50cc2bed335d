/**
 * Finds what a request for certain paths needs when symlinks lie on the way: the links themselves and what they point to.
 *
 * A link is resolved as if the context were the root of the file system, so none leads outside of it (P69).
 */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { cleanPath, fromText, toSystem, toText, withinRoot } from './byte-path.ts';
import { BadPatternError, globExpression, hasWildcard } from './glob.ts';
import { unlessVanished } from './vanished.ts';

interface Resolution {
  readonly root: string;
  readonly found: Set<string>;
}

function systemPath(resolution: Resolution, path: string): string | Buffer {
  return toSystem(fromText(path === '.' ? resolution.root : `${resolution.root}/${path}`));
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '.' : path.slice(0, slash);
}

/** Where the symlink at `path` points, seen from the root; null when there is no symlink. */
function linkTarget(resolution: Resolution, path: string): string | null {
  const stats = unlessVanished(() => lstatSync(systemPath(resolution, path), { throwIfNoEntry: false }));
  if (!stats?.isSymbolicLink()) return null;
  const link = unlessVanished(() => readlinkSync(systemPath(resolution, path), { encoding: 'latin1' }));
  if (link === null) return null;
  const text = toText(link);
  return withinRoot(text.startsWith('/') ? text : `${parentOf(path)}/${text}`);
}

/** A malformed name matches nothing; the daemon says so where it uses it. */
function expressionFor(name: string): RegExp | null {
  try {
    return globExpression(name);
  } catch (error) {
    if (error instanceof BadPatternError) return null;
    throw error;
  }
}

function wildcardTargets(resolution: Resolution, path: string): readonly string[] {
  const parent = parentOf(path);
  const expression = expressionFor(path.slice(path.lastIndexOf('/') + 1));
  if (expression === null) return [];
  const names = unlessVanished(() => readdirSync(systemPath(resolution, parent), { encoding: 'latin1' })) ?? [];
  return names
    .map(toText)
    .filter((name) => expression.test(name))
    .map((name) => linkTarget(resolution, parent === '.' ? name : `${parent}/${name}`))
    .filter((target) => target !== null);
}

function targetsAt(resolution: Resolution, path: string): readonly string[] {
  if (path === '.') return [];
  if (hasWildcard(path.slice(path.lastIndexOf('/') + 1))) return wildcardTargets(resolution, path);
  const target = linkTarget(resolution, path);
  return target === null ? [] : [target];
}

/** Goes down the path until a symlink turns it elsewhere; `found` also stops links that lead round in a circle. */
function resolve(resolution: Resolution, wanted: string): void {
  const components = wanted.split('/');
  for (let depth = 1; depth <= components.length; depth++) {
    const current = components.slice(0, depth).join('/');
    const rest = components.slice(depth).join('/');
    const targets = targetsAt(resolution, current);
    if (rest !== '' && targets.length === 0) continue;
    if (resolution.found.has(current)) return;
    resolution.found.add(current);
    for (const target of targets) resolve(resolution, withinRoot(`${target}/${rest}`));
    return;
  }
}

/**
 * The paths to include, sorted, without those that lie below another; null when the root itself is among them. A path that
 * begins outside of the root is kept as it is, and matches nothing.
 */
export function followPaths(root: string, wanted: readonly string[]): string[] | null {
  const resolution: Resolution = { root, found: new Set() };
  for (const path of wanted) {
    const relative = cleanPath(`./${path}`);
    if (relative === '..' || relative.startsWith('../')) resolution.found.add(relative);
    else resolve(resolution, relative);
  }
  if (resolution.found.has('.')) return null;
  const sorted = [...resolution.found].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const kept: string[] = [];
  for (const path of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !path.startsWith(`${last}/`)) kept.push(path);
  }
  return kept;
}
