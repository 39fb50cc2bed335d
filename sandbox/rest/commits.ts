/** Commits, branches and comparisons. */
import type { components } from '@octokit/openapi-types';
import { countCommits, listCommits, readCommit } from '../git/commits.ts';
import { diffFiles, emptyTree, textDiff, type FileChange } from '../git/diff.ts';
import { branchPrefix, mergeBase, resolveCommit } from '../git/refs.ts';
import { reading, repositoryOperation, type Answer, type RepositoryCall } from '../http/operation.ts';
import { pageSize, paginate, pageLinks } from '../http/paginate.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import { presentCommit, presentFile } from '../present/commit.ts';
import { isPull, presentPullSimple } from '../present/pull.ts';
import { repositoryApiUrl, repositoryPageUrl } from '../present/repository.ts';
import type { Repository } from '../state/model.ts';
import { fullName, type World } from '../world.ts';

type Schemas = components['schemas'];

/** Where one is expected, GitHub answers 422 for a ref it cannot find. */
export async function requireCommit(world: World, repository: Repository, ref: string): Promise<string> {
  const sha = await resolveCommit(world.git.directory(repository.id), ref);
  if (sha === null) throw new Refusal(422, `No commit found for SHA: ${ref}`);
  return sha;
}

function commitFilters(query: RepositoryCall<'repos/list-commits'>['query']): string[] {
  const { since, until, author, committer } = query;
  return [
    ...(since === undefined ? [] : [`--since=${since}`]),
    ...(until === undefined ? [] : [`--until=${until}`]),
    ...(author === undefined ? [] : ['--fixed-strings', `--author=${author}`]),
    ...(committer === undefined ? [] : ['--fixed-strings', `--committer=${committer}`]),
  ];
}

async function list({ world, repository, query, url }: RepositoryCall<'repos/list-commits'>): Promise<Answer> {
  const directory = world.git.directory(repository.id);
  const start = await resolveCommit(directory, query.sha ?? repository.defaultBranch);
  if (start === null && query.sha === undefined) throw new Refusal(409, 'Git Repository is empty.');
  if (start === null) throw notFound();
  const paths = query.path === undefined ? [] : [`:(literal)${query.path}`];
  const range = { revisions: [start], paths, filters: commitFilters(query) };
  const size = pageSize(query);
  const page = Math.max(query.page ?? 1, 1);
  const [commits, total] = await Promise.all([
    listCommits(directory, { ...range, skip: (page - 1) * size, limit: size }),
    countCommits(directory, range),
  ]);
  const headers = pageLinks(url, page, Math.max(1, Math.ceil(total / size)));
  return { status: 200, body: commits.map((commit) => presentCommit(world, repository, commit)), headers };
}

function stats(files: readonly FileChange[]) {
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return { additions, deletions, total: additions + deletions };
}

async function get({ world, repository, params, accept }: RepositoryCall<'repos/get-commit'>): Promise<Answer> {
  const directory = world.git.directory(repository.id);
  const sha = await requireCommit(world, repository, params.ref);
  if (accept.includes('.sha')) return { status: 200, body: sha };
  const commit = await readCommit(directory, sha);
  const base = commit.parents[0] ?? emptyTree;
  if (accept.includes('.diff')) return { status: 200, body: await textDiff(directory, base, sha) };
  const files = await diffFiles(directory, base, sha);
  const body: Schemas['commit'] = {
    ...presentCommit(world, repository, commit),
    stats: stats(files),
    files: files.map((file) => presentFile(world, { repository, headSha: sha, file })),
  };
  return { status: 200, body };
}

async function listPulls(call: RepositoryCall<'repos/list-pull-requests-associated-with-commit'>): Promise<Answer> {
  const { world, repository, params, query, url } = call;
  const sha = await requireCommit(world, repository, params.commit_sha);
  const found = world.tables.issues
    .filter(({ repositoryId }) => repositoryId === repository.id)
    .filter(isPull)
    .filter(({ pull }) => pull.headSha === sha || pull.merged?.sha === sha);
  const { items, headers } = paginate(found, query, url);
  return { status: 200, body: items.map((issue) => presentPullSimple(world, issue)), headers };
}

async function branches(world: World, repository: Repository): Promise<{ name: string; sha: string }[]> {
  return [...(await world.git.refs(repository.id))]
    .filter(([ref]) => ref.startsWith(branchPrefix))
    .map(([ref, sha]) => ({ name: ref.slice(branchPrefix.length), sha }));
}

async function listBranches({ world, repository, query, url }: RepositoryCall<'repos/list-branches'>): Promise<Answer> {
  const { items, headers } = paginate(await branches(world, repository), query, url);
  const api = repositoryApiUrl(world, repository);
  const body: Schemas['short-branch'][] = items.map(({ name, sha }) => ({
    name,
    commit: { sha, url: `${api}/commits/${sha}` },
    protected: false,
  }));
  return { status: 200, body, headers };
}

async function getBranch({ world, repository, params }: RepositoryCall<'repos/get-branch'>): Promise<Answer> {
  const branch = (await branches(world, repository)).find(({ name }) => name === params.branch);
  if (branch === undefined) throw new Refusal(404, 'Branch not found');
  const commit = await readCommit(world.git.directory(repository.id), branch.sha);
  const self = `${repositoryApiUrl(world, repository)}/branches/${branch.name}`;
  const body: Schemas['branch-with-protection'] = {
    name: branch.name,
    commit: presentCommit(world, repository, commit),
    _links: { self, html: `${repositoryPageUrl(world, repository)}/tree/${branch.name}` },
    protected: false,
    protection: { enabled: false },
    protection_url: `${self}/protection`,
  };
  return { status: 200, body };
}

/** `base...head`; either may be written `owner:ref`. */
function parseBasehead(world: World, repository: Repository, basehead: string): { base: string; head: string } {
  const [base, head] = basehead.split('...');
  if (base === undefined || head === undefined || head === '') throw notFound();
  const account = fullName(world, repository).split('/')[0] ?? '';
  const strip = (ref: string) => (ref.startsWith(`${account}:`) ? ref.slice(account.length + 1) : ref);
  return { base: strip(base), head: strip(head) };
}

function comparisonStatus(ahead: number, behind: number): Schemas['commit-comparison']['status'] {
  if (ahead === 0 && behind === 0) return 'identical';
  if (behind === 0) return 'ahead';
  return ahead === 0 ? 'behind' : 'diverged';
}

async function compare(call: RepositoryCall<'repos/compare-commits-with-basehead'>): Promise<Answer> {
  const { world, repository, params, query, accept, url } = call;
  const directory = world.git.directory(repository.id);
  const named = parseBasehead(world, repository, params.basehead);
  const [base, head] = await Promise.all([resolveCommit(directory, named.base), resolveCommit(directory, named.head)]);
  if (base === null || head === null) throw notFound();
  const common = await mergeBase(directory, base, head);
  if (common === null) throw new Refusal(404, `No common ancestor between ${named.base} and ${named.head}.`);
  if (accept.includes('.diff')) return { status: 200, body: await textDiff(directory, common, head) };
  const [commits, behind, files, baseCommit, commonCommit] = await Promise.all([
    listCommits(directory, { revisions: [head, `^${base}`] }),
    countCommits(directory, { revisions: [base, `^${head}`] }),
    diffFiles(directory, common, head),
    readCommit(directory, base),
    readCommit(directory, common),
  ]);
  const { items, headers } = paginate(commits.reverse(), { ...query, per_page: query.per_page ?? 100 }, url);
  const page = `${repositoryPageUrl(world, repository)}/compare/${params.basehead}`;
  const body: Schemas['commit-comparison'] = {
    url: `${repositoryApiUrl(world, repository)}/compare/${params.basehead}`,
    html_url: page,
    permalink_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: presentCommit(world, repository, baseCommit),
    merge_base_commit: presentCommit(world, repository, commonCommit),
    status: comparisonStatus(commits.length, behind),
    ahead_by: commits.length,
    behind_by: behind,
    total_commits: commits.length,
    commits: items.map((commit) => presentCommit(world, repository, commit)),
    files: files.map((file) => presentFile(world, { repository, headSha: head, file })),
  };
  return { status: 200, body, headers };
}

export const commitOperations = [
  repositoryOperation('repos/list-commits', reading('contents'), list),
  repositoryOperation('repos/get-commit', reading('contents'), get),
  repositoryOperation(
    'repos/list-pull-requests-associated-with-commit',
    [reading('contents'), reading('pull_requests')],
    listPulls,
  ),
  repositoryOperation('repos/list-branches', reading('contents'), listBranches),
  repositoryOperation('repos/get-branch', reading('contents'), getBranch),
  repositoryOperation('repos/compare-commits-with-basehead', reading('contents'), compare),
];
