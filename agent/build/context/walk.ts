/**
 * Walks a build context: each wanted entry once, a directory before what it holds, names in the order of their bytes.
 *
 * Nothing here follows a symlink, so nothing outside of the root is reached (P69).
 */
import { lstatSync, readdirSync, readlinkSync, type BigIntStats, type Dirent } from 'node:fs';
import { fromText, toSystem, toText } from './byte-path.ts';
import { fileType, goMode } from './go-mode.ts';
import { unlessVanished } from './vanished.ts';
import type { DirectoryMatches, PathFilter } from './path-filter.ts';

export interface ContextEntry {
  /** Byte path relative to the root. */
  readonly path: string;
  /** Go's mode bits. */
  readonly mode: number;
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly modTime: bigint;
  /** Byte path: where a symlink points, or the entry sent before that a hard link is the same file as. */
  readonly linkname: string;
  readonly devMajor: number;
  readonly devMinor: number;
  /** True when the content of the entry can be asked for. */
  readonly hasContent: boolean;
}

interface Parent {
  readonly path: string;
  readonly stats: BigIntStats;
  readonly matches: DirectoryMatches;
  sent: boolean;
}

interface Walk {
  readonly root: string;
  readonly filter: PathFilter;
  /** The first entry sent of every file with several names, by device and inode. */
  readonly linked: Map<string, string>;
}

function statOf(walk: Walk, path: string): BigIntStats | null {
  // A file that vanished since its directory was read is as if it had never been there.
  return lstatSync(toSystem(`${walk.root}/${path}`), { bigint: true, throwIfNoEntry: false }) ?? null;
}

function entriesOf(walk: Walk, directory: string): Dirent[] {
  const path = directory === '' ? walk.root : `${walk.root}/${directory}`;
  const entries = unlessVanished(() => readdirSync(toSystem(path), { encoding: 'latin1', withFileTypes: true }));
  return (entries ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function hardLink(walk: Walk, path: string, stats: BigIntStats): string {
  const key = `${stats.dev}:${stats.ino}`;
  const first = walk.linked.get(key);
  if (first === undefined) walk.linked.set(key, path);
  return first ?? '';
}

function describe(walk: Walk, path: string, stats: BigIntStats): ContextEntry | null {
  const kernelMode = Number(stats.mode);
  const type = fileType(kernelMode);
  if (type === 'socket') return null;
  const linkname =
    type === 'symlink'
      ? unlessVanished(() => readlinkSync(toSystem(`${walk.root}/${path}`), { encoding: 'latin1' }))
      : type !== 'directory' && stats.nlink > 1n
        ? hardLink(walk, path, stats)
        : '';
  if (linkname === null) return null;
  const device = type === 'special' ? Number(stats.rdev) : 0;
  return {
    path,
    mode: goMode(kernelMode),
    size: type === 'directory' ? 0 : Number(stats.size),
    modTime: stats.mtimeNs,
    linkname,
    devMajor: (device >> 8) & 0xfff,
    devMinor: (device & 0xff) | ((device >> 12) & 0xfff00),
    hasContent: type === 'file',
  };
}

function* unsentParents(walk: Walk, parents: readonly Parent[]): Generator<ContextEntry> {
  for (const parent of parents) {
    if (parent.sent) continue;
    parent.sent = true;
    const entry = describe(walk, parent.path, parent.stats);
    if (entry !== null) yield entry;
  }
}

function* walkDirectory(walk: Walk, directory: string, parents: readonly Parent[]): Generator<ContextEntry> {
  for (const dirent of entriesOf(walk, directory)) {
    const path = directory === '' ? dirent.name : `${directory}/${dirent.name}`;
    const decision = walk.filter.decide(toText(path), dirent.isDirectory(), parents.at(-1)?.matches);
    if (decision.kind === 'skipped') continue;
    if (decision.kind === 'searched' && !dirent.isDirectory()) continue;
    const stats = statOf(walk, path);
    if (stats === null) continue;
    if (decision.kind === 'wanted') {
      const entry = describe(walk, path, stats);
      if (entry === null) continue;
      yield* unsentParents(walk, parents);
      yield entry;
    }
    if (dirent.isDirectory() && stats.isDirectory()) {
      const self: Parent = { path, stats, matches: decision.matches, sent: decision.kind === 'wanted' };
      yield* walkDirectory(walk, path, [...parents, self]);
    }
  }
}

/** `root` is a system path without symlinks. Synchronous, so that a caller can take entries in batches without a promise each. */
export function walkContext(root: string, filter: PathFilter): Generator<ContextEntry> {
  return walkDirectory({ root: fromText(root), filter, linked: new Map() }, '', []);
}
