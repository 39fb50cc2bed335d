/** The payload of a push event, as GitHub shapes it for branches, tags and deletions. */
import { listCommits, readCommit, type Commit } from '../git/commits.ts';
import { changedNames } from '../git/diff.ts';
import { branchPrefix, isAncestor, resolveCommit, zeroSha, type RefChange } from '../git/refs.ts';
import { emailOf, presentSimpleCommit } from '../present/commit.ts';
import { presentPushedRepository, repositoryPageUrl } from '../present/repository.ts';
import type { Repository, User } from '../state/model.ts';
import { findUser, type World } from '../world.ts';

const mostCommits = 2048;

export type PushShape = 'created' | 'deleted' | 'forced' | 'forward';

async function pushShape(directory: string, { before, after }: RefChange): Promise<PushShape> {
  if (before === zeroSha) return 'created';
  if (after === zeroSha) return 'deleted';
  return (await isAncestor(directory, before, after)) ? 'forward' : 'forced';
}

/** Oldest first: of a new branch, what no other branch had. */
async function newCommits(world: World, repository: Repository, change: RefChange): Promise<Commit[]> {
  if (!change.ref.startsWith(branchPrefix) || change.after === zeroSha) return [];
  const refs = await world.git.refs(repository.id);
  const others = [...refs].filter(([ref]) => ref !== change.ref && ref.startsWith(branchPrefix)).map(([, sha]) => sha);
  const excluded = change.before === zeroSha ? others : [change.before];
  const commits = await listCommits(world.git.directory(repository.id), {
    revisions: [change.after, ...excluded.map((sha) => `^${sha}`)],
    limit: mostCommits,
  });
  return commits.reverse();
}

function person(world: World, { name, email }: { readonly name: string; readonly email: string }) {
  const login = /^(?:\d+\+)?([^@]+)@/.exec(email)?.[1];
  const user = login === undefined ? undefined : findUser(world, login);
  return { name, email, ...(user === undefined ? {} : { username: user.login }) };
}

async function presentCommits(world: World, repository: Repository, commits: readonly Commit[]) {
  const names = await changedNames(
    world.git.directory(repository.id),
    commits.map(({ sha }) => sha),
  );
  return commits.map((commit) => ({
    ...presentSimpleCommit(commit),
    distinct: true,
    url: `${repositoryPageUrl(world, repository)}/commit/${commit.sha}`,
    author: person(world, commit.author),
    committer: person(world, commit.committer),
    ...(names.get(commit.sha) ?? { added: [], removed: [], modified: [] }),
  }));
}

/** The commit a ref points at now; tags may point at it through a tag object. */
async function headOf(world: World, repository: Repository, { change, commits }: Moved): Promise<Commit | null> {
  const newest = commits.at(-1);
  if (change.after === zeroSha || newest?.sha === change.after) return newest ?? null;
  const directory = world.git.directory(repository.id);
  const sha = await resolveCommit(directory, change.after);
  return sha === null ? null : readCommit(directory, sha);
}

interface Moved {
  readonly change: RefChange;
  readonly shape: PushShape;
  /** Oldest first. */
  readonly commits: readonly Commit[];
}

/** How a ref moved, and what that brought. */
export async function readMove(world: World, repository: Repository, change: RefChange): Promise<Moved> {
  const [shape, commits] = await Promise.all([
    pushShape(world.git.directory(repository.id), change),
    newCommits(world, repository, change),
  ]);
  return { change, shape, commits };
}

export interface Push {
  readonly repository: Repository;
  readonly moved: Moved;
  readonly pusher: User;
}

export async function pushPayload(world: World, { repository, moved, pusher }: Push) {
  const { change, shape, commits } = moved;
  const head = await headOf(world, repository, moved);
  const isNew = head === null || commits.some(({ sha }) => sha === head.sha);
  const presented = await presentCommits(world, repository, isNew ? commits : [...commits, head]);
  const page = repositoryPageUrl(world, repository);
  return {
    ref: change.ref,
    before: change.before,
    after: change.after,
    created: shape === 'created',
    deleted: shape === 'deleted',
    forced: shape === 'forced',
    base_ref: null,
    compare: `${page}/compare/${change.before.slice(0, 12)}...${change.after.slice(0, 12)}`,
    commits: presented.slice(0, commits.length),
    head_commit: head === null ? null : (presented.at(-1) ?? null),
    repository: presentPushedRepository(world, repository),
    pusher: { name: pusher.login, email: emailOf(pusher) },
  };
}
