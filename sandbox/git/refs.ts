/** Reads and moves refs of a bare repository. Names are looked up exactly; git's own revision syntax is never evaluated. */
import { git, gitOrNull, gitText } from './git.ts';

export const zeroSha = '0'.repeat(40);
export const branchPrefix = 'refs/heads/';
export const tagPrefix = 'refs/tags/';

export interface RefChange {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

export type Refs = ReadonlyMap<string, string>;

/** Branches and tags by full name; `refs/pull/*` is the sandbox's own. */
export async function readRefs(directory: string): Promise<Refs> {
  const listing = await gitText(directory, [
    'for-each-ref',
    '--format=%(objectname) %(refname)',
    branchPrefix,
    tagPrefix,
  ]);
  const lines = listing.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)]));
}

export function refChanges(before: Refs, after: Refs): RefChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .map((ref) => ({ ref, before: before.get(ref) ?? zeroSha, after: after.get(ref) ?? zeroSha }))
    .filter((change) => change.before !== change.after);
}

/** The commit that a branch, tag, full ref or (abbreviated) SHA names, or `null`. */
export async function resolveCommit(directory: string, name: string): Promise<string | null> {
  for (const candidate of candidates(name)) {
    const sha = await gitOrNull(directory, [
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `${candidate}^{commit}`,
    ]);
    if (sha !== null) return sha.trim();
  }
  return null;
}

function candidates(name: string): string[] {
  if (!isSafeName(name)) return [];
  if (name === 'HEAD') return ['HEAD'];
  if (name.startsWith('refs/')) return [name];
  const short = name.replace(/^(heads|tags)\//, '');
  const byName = [`${branchPrefix}${name}`, `${tagPrefix}${name}`, `${branchPrefix}${short}`, `${tagPrefix}${short}`];
  return /^[0-9a-f]{7,40}$/.test(name) ? [name, ...byName] : byName;
}

/** Git's own rules for ref names, as far as they keep revision operators and options out. */
function isSafeName(name: string): boolean {
  return name !== '' && !/[\s~^:?*[\\]|\.\.|@\{|\/\/|\p{Cc}/u.test(name) && !name.startsWith('-');
}

export async function isAncestor(directory: string, ancestor: string, descendant: string): Promise<boolean> {
  return (await gitOrNull(directory, ['merge-base', '--is-ancestor', ancestor, descendant])) !== null;
}

export async function mergeBase(directory: string, one: string, other: string): Promise<string | null> {
  return (await gitOrNull(directory, ['merge-base', one, other]))?.trim() ?? null;
}

/** Moves a ref only when it still is where the caller saw it. */
export async function moveRef(directory: string, change: RefChange): Promise<void> {
  const args = change.after === zeroSha ? ['-d', change.ref, change.before] : [change.ref, change.after, change.before];
  await git(directory, ['update-ref', ...args]);
}

/** Points one of the sandbox's own refs (`refs/pull/…`) at a commit, wherever it was. */
export async function pointRef(directory: string, ref: string, sha: string): Promise<void> {
  await git(directory, ['update-ref', ref, sha]);
}

/** Which branch a clone checks out. */
export async function pointHead(directory: string, ref: string): Promise<void> {
  await git(directory, ['symbolic-ref', 'HEAD', ref]);
}
