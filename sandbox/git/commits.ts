/** Reads commit objects. */
import { gitText } from './git.ts';

export interface Signature {
  readonly name: string;
  readonly email: string;
  /** ISO 8601, as the commit states it. */
  readonly date: string;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}

const format = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x00');

function parse(record: string): Commit {
  const [sha = '', tree = '', parents = '', ...rest] = record.split('\0');
  const [authorName = '', authorEmail = '', authorDate = '', name = '', email = '', date = '', message = ''] = rest;
  return {
    sha,
    tree,
    parents: parents === '' ? [] : parents.split(' '),
    author: { name: authorName, email: authorEmail, date: authorDate },
    committer: { name, email, date },
    message: message.trimEnd(),
  };
}

export interface CommitRange {
  /** Revisions as git takes them, already resolved to SHAs: `[head]` or `[head, '^base']`. */
  readonly revisions: readonly string[];
  readonly skip?: number;
  readonly limit?: number;
  readonly paths?: readonly string[];
  /** Options that leave commits out, such as `--since=…`. */
  readonly filters?: readonly string[];
}

/** Newest first. */
export async function listCommits(directory: string, range: CommitRange): Promise<Commit[]> {
  const output = await gitText(directory, [
    'log',
    '-z',
    `--format=${format}%x1e`,
    ...(range.skip === undefined ? [] : [`--skip=${range.skip}`]),
    ...(range.limit === undefined ? [] : [`--max-count=${range.limit}`]),
    ...(range.filters ?? []),
    ...range.revisions,
    '--',
    ...(range.paths ?? []),
  ]);
  return output
    .split('\x1e')
    .map((record) => record.replace(/^\0/, ''))
    .filter((record) => record !== '')
    .map(parse);
}

export async function readCommit(directory: string, sha: string): Promise<Commit> {
  const [commit] = await listCommits(directory, { revisions: [sha], limit: 1 });
  if (commit === undefined) throw new Error(`git log answered nothing for ${sha}.`);
  return commit;
}

export async function countCommits(directory: string, range: CommitRange): Promise<number> {
  const { revisions, filters = [], paths = [] } = range;
  return Number(await gitText(directory, ['rev-list', '--count', ...filters, ...revisions, '--', ...paths]));
}
