/** Reads trees and blobs. */
import { git, gitOrNull, gitText } from './git.ts';

export interface TreeEntry {
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  readonly size: number;
  /** From the root of the repository. */
  readonly path: string;
}

function parseEntries(listing: string): TreeEntry[] {
  return listing
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', type = 'blob', sha = '', size = '0'] = line.slice(0, tab).split(/ +/);
      return { mode, type: type as TreeEntry['type'], sha, size: Number(size) || 0, path: line.slice(tab + 1) };
    });
}

/** A path is taken literally: `:(glob)` and friends are never evaluated. */
const literal = { environment: { GIT_LITERAL_PATHSPECS: '1' } };

export async function listTree(directory: string, sha: string, path: string): Promise<TreeEntry[]> {
  const inside = path === '' ? [] : [`${path}/`];
  return parseEntries(await gitText(directory, ['ls-tree', '-z', '-l', sha, '--', ...inside], literal));
}

export async function listTreeRecursive(directory: string, sha: string): Promise<TreeEntry[]> {
  return parseEntries(await gitText(directory, ['ls-tree', '-z', '-l', '-r', '-t', sha]));
}

export async function findEntry(directory: string, sha: string, path: string): Promise<TreeEntry | null> {
  return parseEntries(await gitText(directory, ['ls-tree', '-z', '-l', sha, '--', path], literal))[0] ?? null;
}

export async function readBlob(directory: string, sha: string): Promise<Buffer> {
  return git(directory, ['cat-file', 'blob', sha]);
}

export async function objectType(directory: string, sha: string): Promise<string | null> {
  return (await gitOrNull(directory, ['cat-file', '-t', sha]))?.trim() ?? null;
}
