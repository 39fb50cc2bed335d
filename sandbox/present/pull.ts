/** Pull requests as the REST API shows them. */
import type { components } from '@octokit/openapi-types';
import { countCommits } from '../git/commits.ts';
import { diffFiles } from '../git/diff.ts';
import { mergeBase } from '../git/refs.ts';
import { mergedTree } from '../git/write.ts';
import type { Issue, PullRequest } from '../state/model.ts';
import { owner, type World } from '../world.ts';
import { association } from './issue.ts';
import { presentRepository, repositoryApiUrl, repositoryPageUrl } from './repository.ts';
import { iso, isoOrNull, nodeId } from './time.ts';
import { presentUser } from './user.ts';

type Schemas = components['schemas'];

export type PullIssue = Issue & { readonly pull: PullRequest };

export function isPull(issue: Issue): issue is PullIssue {
  return issue.pull !== null;
}

function side(world: World, repositoryId: number, at: { readonly ref: string; readonly sha: string }) {
  const repository = world.tables.repositories.get(repositoryId);
  const account = owner(world, repository);
  return {
    label: `${account.login}:${at.ref}`,
    ref: at.ref,
    sha: at.sha,
    user: presentUser(world, account),
    repo: presentRepository(world, repository),
  };
}

function links(api: string, page: string, { number, pull }: PullIssue) {
  const [url, issue] = [`${api}/pulls/${number}`, `${api}/issues/${number}`];
  return {
    self: { href: url },
    html: { href: page },
    issue: { href: issue },
    comments: { href: `${issue}/comments` },
    review_comments: { href: `${url}/comments` },
    review_comment: { href: `${api}/pulls/comments{/number}` },
    commits: { href: `${url}/commits` },
    statuses: { href: `${api}/statuses/${pull.headSha}` },
  };
}

export function presentPullSimple(world: World, issue: PullIssue) {
  const repository = world.tables.repositories.get(issue.repositoryId);
  const api = repositoryApiUrl(world, repository);
  const page = `${repositoryPageUrl(world, repository)}/pull/${issue.number}`;
  const author = world.tables.users.get(issue.authorId);
  const _links = links(api, page, issue);
  const { pull } = issue;
  return {
    url: _links.self.href,
    id: issue.id,
    node_id: nodeId('PullRequest', issue.id),
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: _links.issue.href,
    commits_url: _links.commits.href,
    review_comments_url: _links.review_comments.href,
    review_comment_url: _links.review_comment.href,
    comments_url: _links.comments.href,
    statuses_url: _links.statuses.href,
    number: issue.number,
    state: issue.state,
    locked: false,
    title: issue.title,
    user: presentUser(world, author),
    body: issue.body,
    labels: [],
    milestone: null,
    active_lock_reason: null,
    created_at: iso(issue.createdAt),
    updated_at: iso(issue.updatedAt),
    closed_at: isoOrNull(issue.closedAt),
    merged_at: isoOrNull(pull.merged?.at ?? null),
    merge_commit_sha: pull.merged?.sha ?? null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    head: side(world, pull.headRepositoryId, { ref: pull.headRef, sha: pull.headSha }),
    base: side(world, issue.repositoryId, { ref: pull.baseRef, sha: pull.baseSha }),
    _links,
    author_association: association(world, repository, author),
    auto_merge: null,
    draft: pull.draft,
  } satisfies Schemas['pull-request-simple'];
}

/** Where the pull request's own changes begin. */
export async function pullBase(world: World, { repositoryId, pull }: PullIssue): Promise<string> {
  return (await mergeBase(world.git.directory(repositoryId), pull.baseSha, pull.headSha)) ?? pull.baseSha;
}

export async function presentPull(world: World, issue: PullIssue) {
  const directory = world.git.directory(issue.repositoryId);
  const { pull } = issue;
  const base = await pullBase(world, issue);
  const [files, commits, tree] = await Promise.all([
    diffFiles(directory, base, pull.headSha),
    countCommits(directory, { revisions: [pull.headSha, `^${pull.baseSha}`] }),
    issue.state === 'open' ? mergedTree(directory, pull.baseSha, pull.headSha) : Promise.resolve(null),
  ]);
  const comments = world.tables.comments.filter(
    (each) => each.repositoryId === issue.repositoryId && each.issueNumber === issue.number,
  );
  const sum = (count: 'additions' | 'deletions') => files.reduce((total, file) => total + file[count], 0);
  return {
    ...presentPullSimple(world, issue),
    merged: pull.merged !== null,
    merged_by: pull.merged === null ? null : presentUser(world, world.tables.users.get(pull.merged.byId)),
    mergeable: issue.state === 'open' ? tree !== null : null,
    rebaseable: issue.state === 'open' ? tree !== null : null,
    mergeable_state: issue.state === 'closed' ? 'unknown' : tree === null ? 'dirty' : 'clean',
    comments: comments.length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: files.length,
  } satisfies Schemas['pull-request'];
}

/** As check runs name the pull requests they belong to. */
export function presentPullName(world: World, issue: Issue): Schemas['pull-request-minimal'] {
  if (!isPull(issue)) throw new Error(`Issue ${issue.number} is no pull request.`);
  const { pull } = issue;
  const repo = (id: number) => {
    const repository = world.tables.repositories.get(id);
    return { id, url: repositoryApiUrl(world, repository), name: repository.name };
  };
  const api = repositoryApiUrl(world, world.tables.repositories.get(issue.repositoryId));
  return {
    id: issue.id,
    number: issue.number,
    url: `${api}/pulls/${issue.number}`,
    head: { ref: pull.headRef, sha: pull.headSha, repo: repo(pull.headRepositoryId) },
    base: { ref: pull.baseRef, sha: pull.baseSha, repo: repo(issue.repositoryId) },
  };
}
