/** What changed between two commits, file by file. */
import { gitText } from './git.ts';

/** Git's well-known empty tree: what the first commit differs from. */
export const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export type FileStatus = 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed';

export interface FileChange {
  readonly filename: string;
  readonly previousFilename: string | null;
  readonly status: FileStatus;
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
  /** Absent for binary files. */
  readonly patch: string | null;
}

const statuses: Readonly<Record<string, FileStatus>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'changed',
};

interface RawChange {
  readonly status: string;
  readonly sha: string;
  readonly from: string;
  readonly to: string;
}

/** `--raw -z` records: a header, then one path, or two for renames and copies. */
function parseRaw(output: string): RawChange[] {
  const fields = output.split('\0').filter((field) => field !== '');
  const changes: RawChange[] = [];
  for (let at = 0; at < fields.length;) {
    const [, , before = '', after = '', letter = 'M'] = (fields[at] ?? '').split(' ');
    const moved = letter.startsWith('R') || letter.startsWith('C');
    const from = fields[at + 1] ?? '';
    const to = moved ? (fields[at + 2] ?? '') : from;
    changes.push({ status: letter.charAt(0), sha: letter === 'D' ? before : after, from, to });
    at += moved ? 3 : 2;
  }
  return changes;
}

/** The hunks of each file, in the order of the raw listing. */
function splitPatches(output: string): string[] {
  return output
    .split(/^diff --git /m)
    .slice(1)
    .map((section) => /^@@ [\s\S]*/m.exec(section)?.[0].replace(/\n$/, '') ?? '');
}

function countLines(patch: string, sign: string): number {
  return patch.split('\n').filter((line) => line.startsWith(sign)).length;
}

export async function diffFiles(directory: string, base: string, head: string): Promise<FileChange[]> {
  const common = ['diff', '-M', '--no-color', '--no-ext-diff', '--no-abbrev'];
  const [raw, patches] = await Promise.all([
    gitText(directory, [...common, '--raw', '-z', base, head]),
    gitText(directory, [...common, '--patch', base, head]),
  ]);
  const hunks = splitPatches(patches);
  return parseRaw(raw).map((change, at) => {
    const patch = hunks[at] ?? '';
    return {
      filename: change.to,
      previousFilename: change.from === change.to ? null : change.from,
      status: statuses[change.status] ?? 'changed',
      sha: change.sha,
      additions: countLines(patch, '+'),
      deletions: countLines(patch, '-'),
      patch: patch === '' ? null : patch,
    };
  });
}

export interface ChangedNames {
  readonly added: string[];
  readonly removed: string[];
  readonly modified: string[];
}

/** What each commit changed against its first parent, names only, as a push event lists it. */
export async function changedNames(directory: string, shas: readonly string[]): Promise<Map<string, ChangedNames>> {
  const byCommit = new Map<string, ChangedNames>();
  if (shas.length === 0) return byCommit;
  const options = ['--stdin', '--root', '-r', '--no-renames', '--diff-merges=first-parent', '--raw', '-z'];
  const fields = (await gitText(directory, ['diff-tree', ...options], { input: `${shas.join('\n')}\n` })).split('\0');
  let current: ChangedNames = { added: [], removed: [], modified: [] };
  for (let at = 0; at < fields.length; at += 1) {
    const field = (fields[at] ?? '').trim();
    if (!field.startsWith(':')) {
      current = { added: [], removed: [], modified: [] };
      if (field !== '') byCommit.set(field, current);
      continue;
    }
    at += 1;
    const name = fields[at] ?? '';
    if (field.endsWith('A')) current.added.push(name);
    else if (field.endsWith('D')) current.removed.push(name);
    else current.modified.push(name);
  }
  return byCommit;
}

export async function textDiff(directory: string, base: string, head: string): Promise<string> {
  return gitText(directory, ['diff', '-M', '--no-color', '--no-ext-diff', base, head]);
}
