/** A repository as the REST API and webhooks show it: one object that satisfies all of GitHub's shapes for it. */
import type { components } from '@octokit/openapi-types';
import type { Repository } from '../state/model.ts';
import { fullName, owner, type World } from '../world.ts';
import { iso, nodeId } from './time.ts';
import { presentUser } from './user.ts';

type Schemas = components['schemas'];

export function repositoryApiUrl(world: World, repository: Repository): string {
  return `${world.apiUrl}/repos/${fullName(world, repository)}`;
}

export function repositoryPageUrl(world: World, repository: Repository): string {
  return `${world.url}/${fullName(world, repository)}`;
}

export function cloneUrl(world: World, repository: Repository): string {
  return `${repositoryPageUrl(world, repository)}.git`;
}

function templates(url: string) {
  return {
    url,
    archive_url: `${url}/{archive_format}{/ref}`,
    assignees_url: `${url}/assignees{/user}`,
    blobs_url: `${url}/git/blobs{/sha}`,
    branches_url: `${url}/branches{/branch}`,
    collaborators_url: `${url}/collaborators{/collaborator}`,
    comments_url: `${url}/comments{/number}`,
    commits_url: `${url}/commits{/sha}`,
    compare_url: `${url}/compare/{base}...{head}`,
    contents_url: `${url}/contents/{+path}`,
    contributors_url: `${url}/contributors`,
    deployments_url: `${url}/deployments`,
    downloads_url: `${url}/downloads`,
    events_url: `${url}/events`,
    forks_url: `${url}/forks`,
    git_commits_url: `${url}/git/commits{/sha}`,
    git_refs_url: `${url}/git/refs{/sha}`,
    git_tags_url: `${url}/git/tags{/sha}`,
    hooks_url: `${url}/hooks`,
    issue_comment_url: `${url}/issues/comments{/number}`,
    issue_events_url: `${url}/issues/events{/number}`,
    issues_url: `${url}/issues{/number}`,
    keys_url: `${url}/keys{/key_id}`,
    labels_url: `${url}/labels{/name}`,
    languages_url: `${url}/languages`,
    merges_url: `${url}/merges`,
    milestones_url: `${url}/milestones{/number}`,
    notifications_url: `${url}/notifications{?since,all,participating}`,
    pulls_url: `${url}/pulls{/number}`,
    releases_url: `${url}/releases{/id}`,
    stargazers_url: `${url}/stargazers`,
    statuses_url: `${url}/statuses/{sha}`,
    subscribers_url: `${url}/subscribers`,
    subscription_url: `${url}/subscription`,
    tags_url: `${url}/tags`,
    teams_url: `${url}/teams`,
    trees_url: `${url}/git/trees{/sha}`,
  };
}

function counts(openIssues: number) {
  return {
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    open_issues: openIssues,
    open_issues_count: openIssues,
    network_count: 0,
    subscribers_count: 0,
    size: 0,
  };
}

const features = {
  fork: false,
  archived: false,
  disabled: false,
  has_issues: true,
  has_projects: false,
  has_wiki: false,
  has_pages: false,
  has_downloads: false,
  has_discussions: false,
  allow_forking: true,
  is_template: false,
  web_commit_signoff_required: false,
  homepage: null,
  language: null,
  mirror_url: null,
  license: null,
  topics: [] as string[],
};

export function presentRepository(world: World, repository: Repository) {
  const page = repositoryPageUrl(world, repository);
  const openIssues = world.tables.issues.filter(
    (issue) => issue.repositoryId === repository.id && issue.state === 'open',
  ).length;
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: repository.name,
    full_name: fullName(world, repository),
    owner: presentUser(world, owner(world, repository)),
    private: repository.private,
    visibility: repository.private ? 'private' : 'public',
    description: null,
    default_branch: repository.defaultBranch,
    html_url: page,
    clone_url: `${page}.git`,
    git_url: `${page}.git`,
    ssh_url: `${page}.git`,
    svn_url: page,
    created_at: iso(repository.createdAt),
    updated_at: iso(repository.updatedAt),
    pushed_at: iso(repository.pushedAt),
    ...templates(repositoryApiUrl(world, repository)),
    ...counts(openIssues),
    ...features,
  } satisfies Schemas['full-repository'] & Schemas['repository'];
}

/** Push events show the owner with a name and address, and times as seconds. */
export function presentPushedRepository(world: World, repository: Repository) {
  const shown = presentRepository(world, repository);
  const { login } = shown.owner;
  return {
    ...shown,
    owner: { ...shown.owner, name: login, email: `${login}@users.noreply.github.com` },
    created_at: Math.floor(repository.createdAt / 1000),
    pushed_at: Math.floor(repository.pushedAt / 1000),
    stargazers: 0,
    master_branch: repository.defaultBranch,
  };
}

/** As an installation's events list repositories. */
export function presentRepositoryName(world: World, repository: Repository) {
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: repository.name,
    full_name: fullName(world, repository),
    private: repository.private,
  };
}
