/** Commits, files and refs as the REST API shows them. */
import type { components } from '@octokit/openapi-types';
import type { Commit, Signature } from '../git/commits.ts';
import type { FileChange } from '../git/diff.ts';
import type { Repository, User } from '../state/model.ts';
import { findUser, type World } from '../world.ts';
import { repositoryApiUrl, repositoryPageUrl } from './repository.ts';
import { nodeId } from './time.ts';
import { presentUser } from './user.ts';

type Schemas = components['schemas'];

const unsigned = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

/** An account is recognised by its GitHub address, or by its login before the `@`. */
function accountOf(world: World, signature: Signature): User | undefined {
  const login = /^(?:\d+\+)?([^@]+)@/.exec(signature.email)?.[1];
  return login === undefined ? undefined : findUser(world, login);
}

export function emailOf(user: User): string {
  return `${user.id}+${user.login}@users.noreply.github.com`;
}

export function presentCommit(world: World, repository: Repository, commit: Commit): Schemas['commit'] {
  const api = repositoryApiUrl(world, repository);
  const page = repositoryPageUrl(world, repository);
  const [author, committer] = [accountOf(world, commit.author), accountOf(world, commit.committer)];
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    url: `${api}/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    comments_url: `${api}/commits/${commit.sha}/comments`,
    commit: {
      url: `${api}/git/commits/${commit.sha}`,
      author: { ...commit.author },
      committer: { ...commit.committer },
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      comment_count: 0,
      verification: unsigned,
    },
    author: author === undefined ? null : presentUser(world, author),
    committer: committer === undefined ? null : presentUser(world, committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${api}/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
  };
}

export function presentGitCommit(world: World, repository: Repository, commit: Commit): Schemas['git-commit'] {
  const api = repositoryApiUrl(world, repository);
  const page = repositoryPageUrl(world, repository);
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    url: `${api}/git/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    author: { ...commit.author },
    committer: { ...commit.committer },
    message: commit.message,
    tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${api}/git/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
    verification: unsigned,
  };
}

/** As webhooks show a commit without its files. */
export function presentSimpleCommit(commit: Commit): Schemas['simple-commit'] {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: commit.committer.date,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
  };
}

export interface PresentedFile {
  readonly repository: Repository;
  readonly headSha: string;
  readonly file: FileChange;
}

export function presentFile(world: World, { repository, headSha, file }: PresentedFile): Schemas['diff-entry'] {
  const path = file.filename.split('/').map(encodeURIComponent).join('/');
  const page = repositoryPageUrl(world, repository);
  return {
    sha: file.sha,
    filename: file.filename,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${page}/blob/${headSha}/${path}`,
    raw_url: `${page}/raw/${headSha}/${path}`,
    contents_url: `${repositoryApiUrl(world, repository)}/contents/${path}?ref=${headSha}`,
    ...(file.patch === null ? {} : { patch: file.patch }),
    ...(file.previousFilename === null ? {} : { previous_filename: file.previousFilename }),
  };
}

export function presentRef(
  world: World,
  repository: Repository,
  target: { readonly ref: string; readonly sha: string; readonly type: string },
): Schemas['git-ref'] {
  const api = repositoryApiUrl(world, repository);
  return {
    ref: target.ref,
    node_id: nodeId('Ref', `${repository.id}:${target.ref}`),
    url: `${api}/git/${target.ref}`,
    object: { type: target.type, sha: target.sha, url: `${api}/git/${target.type}s/${target.sha}` },
  };
}
