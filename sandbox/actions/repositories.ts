/** Repositories: created, committed to, renamed, transferred and deleted, each with its webhooks. */
import { branchPrefix } from '../git/refs.ts';
import { commitFiles } from '../git/write.ts';
import { emailOf } from '../present/commit.ts';
import { presentUser } from '../present/user.ts';
import type { Repository, User } from '../state/model.ts';
import { emit } from '../webhooks/emit.ts';
import { findRepository, installationOf, owner, type World } from '../world.ts';
import { findInstallation, install, tellRepositories } from './installations.ts';
import { followPush } from './pushes.ts';
import { ensureUser, ImpossibleRequest } from './users.ts';

export interface NewRepository {
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch?: string | undefined;
  /** Default: true, so that a clone needs a token. */
  readonly private?: boolean | undefined;
  readonly files?: Readonly<Record<string, string>> | undefined;
}

const namePattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;
/** First path segments that belong to the sandbox itself. */
const reservedOwners = new Set(['api', 'apps', 'settings']);

/** Also installs the App on its owner, when it is not yet. */
export async function createRepository(world: World, request: NewRepository): Promise<Repository> {
  if (!namePattern.test(request.name) || request.name.endsWith('.git') || reservedOwners.has(request.owner))
    throw new ImpossibleRequest(`"${request.owner}/${request.name}" cannot be a repository's name.`);
  if (findRepository(world, request.owner, request.name) !== undefined)
    throw new ImpossibleRequest(`The repository ${request.owner}/${request.name} exists.`);
  const account = ensureUser(world, request.owner);
  const repository = insertRepository(world, request, account);
  await world.git.create(repository.id, repository.defaultBranch);
  const known = findInstallation(world, account);
  if (known === undefined) install(world, account);
  else {
    emit(world, { name: 'repository-created', repository, sender: account, subject: {} });
    if (known.selection === 'all') tellRepositories(world, { installation: known, added: [repository], removed: [] });
  }
  if (request.files !== undefined) {
    const branch = repository.defaultBranch;
    await commit(world, repository, { branch, author: account, message: 'Initial commit', files: request.files });
  }
  return world.tables.repositories.get(repository.id);
}

function insertRepository(world: World, request: NewRepository, account: User): Repository {
  const now = world.now();
  return world.tables.repositories.insert({
    ownerId: account.id,
    name: request.name,
    defaultBranch: request.defaultBranch ?? 'main',
    private: request.private ?? true,
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
    lastIssueNumber: 0,
    collaborators: [],
  });
}

export interface NewCommit {
  readonly branch: string;
  /** Branch from here when the branch is new; default: the default branch. */
  readonly from?: string | undefined;
  readonly author: User;
  readonly message: string;
  readonly files: Readonly<Record<string, string | null>>;
}

/** As if the author had pushed one commit; answers its SHA. */
export async function commit(world: World, repository: Repository, request: NewCommit): Promise<string> {
  const { branch, from, message, files } = request;
  const directory = world.git.directory(repository.id);
  const author = { name: request.author.login, email: emailOf(request.author), at: world.now() };
  return world.git.write(repository.id, {
    change: async () => {
      const refs = await world.git.refs(repository.id);
      const start = branchPrefix + (from ?? repository.defaultBranch);
      const parent = refs.get(branchPrefix + branch) ?? refs.get(start) ?? null;
      return commitFiles(directory, { branch, parent, message, author, files });
    },
    follow: (changes) => followPush(world, { repository, changes, sender: request.author }),
  });
}

function rememberName(world: World, repository: Repository): void {
  world.tables.formerNames.insert({
    repositoryId: repository.id,
    owner: owner(world, repository).login,
    name: repository.name,
  });
}

export function renameRepository(world: World, repository: Repository, name: string): Repository {
  if (!namePattern.test(name)) throw new ImpossibleRequest(`"${name}" cannot be a repository's name.`);
  if (findRepository(world, owner(world, repository).login, name) !== undefined)
    throw new ImpossibleRequest(`The repository ${owner(world, repository).login}/${name} exists.`);
  rememberName(world, repository);
  const renamed = world.tables.repositories.update(repository.id, { name, updatedAt: world.now() });
  const subject = { changes: { repository: { name: { from: repository.name } } } };
  emit(world, { name: 'repository-renamed', repository: renamed, sender: owner(world, renamed), subject });
  return renamed;
}

export function transferRepository(world: World, repository: Repository, newOwner: User): Repository {
  const oldOwner = owner(world, repository);
  const oldInstallation = installationOf(world, repository);
  rememberName(world, repository);
  const moved = world.tables.repositories.update(repository.id, { ownerId: newOwner.id, updatedAt: world.now() });
  if (oldInstallation !== undefined)
    tellRepositories(world, { installation: oldInstallation, added: [], removed: [moved] });
  const installation = installationOf(world, moved);
  if (installation !== undefined) tellRepositories(world, { installation, added: [moved], removed: [] });
  const from = { [oldOwner.type === 'Organization' ? 'organization' : 'user']: presentUser(world, oldOwner) };
  const subject = { changes: { owner: { from } } };
  emit(world, { name: 'repository-transferred', repository: moved, sender: newOwner, subject });
  return moved;
}

/** The repository, its git data and everything that belongs to it. */
export async function deleteRepository(world: World, repository: Repository): Promise<void> {
  const sender = owner(world, repository);
  const installation = installationOf(world, repository);
  emit(world, { name: 'repository-deleted', repository, sender, subject: {} });
  if (installation !== undefined) tellRepositories(world, { installation, added: [], removed: [repository] });
  const { tables } = world;
  const belongs = ({ repositoryId }: { readonly repositoryId: number | null }) => repositoryId === repository.id;
  const owned = [
    tables.deploymentStatuses,
    tables.deployments,
    tables.environments,
    tables.checkRuns,
    tables.checkSuites,
    tables.commitStatuses,
    tables.comments,
    tables.reactions,
    tables.issues,
    tables.refUpdates,
    tables.formerNames,
  ];
  for (const table of owned) table.deleteWhere(belongs);
  tables.repositories.delete(repository.id);
  await world.git.remove(repository.id);
}
