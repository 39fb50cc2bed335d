/** Everything the parts of the sandbox share: its state, its clock, its repositories and its switches. */
import type { KeyObject } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Faults } from './faults.ts';
import type { GitStorage } from './git/storage.ts';
import type { RateLimits } from './http/rate-limits.ts';
import type { RequestLog } from './http/request-log.ts';
import type { Installation, Permissions, Repository, User } from './state/model.ts';
import type { Tables } from './state/tables.ts';
import type { Deliveries } from './webhooks/deliveries.ts';

export interface AppIdentity {
  readonly id: number;
  readonly slug: string;
  readonly publicKey: KeyObject;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  readonly createdAt: number;
}

export interface World {
  readonly app: AppIdentity;
  /** Base of pages and git, such as `http://127.0.0.1:7781`. */
  readonly url: string;
  /** Base of the REST API. */
  readonly apiUrl: string;
  readonly now: () => number;
  readonly tables: Tables;
  readonly git: GitStorage;
  readonly faults: Faults;
  readonly limits: RateLimits;
  readonly requests: RequestLog;
  readonly deliveries: Deliveries;
  /** Faults of the sandbox itself, such as an answer that breaks GitHub's description. */
  readonly failures: string[];
  /** Emits `change` whenever a row changes. */
  readonly changes: EventEmitter;
}

export function owner(world: World, repository: Repository): User {
  return world.tables.users.get(repository.ownerId);
}

export function fullName(world: World, repository: Repository): string {
  return `${owner(world, repository).login}/${repository.name}`;
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

export function findUser(world: World, login: string): User | undefined {
  return world.tables.users.first((user) => sameName(user.login, login));
}

export function findRepository(world: World, ownerLogin: string, name: string): Repository | undefined {
  return world.tables.repositories.first(
    (each) => sameName(each.name, name) && sameName(owner(world, each).login, ownerLogin),
  );
}

/** The repository that once had this name, when no other has taken the name since. */
export function findRenamed(world: World, ownerLogin: string, name: string): Repository | undefined {
  const former = world.tables.formerNames
    .filter((each) => sameName(each.owner, ownerLogin) && sameName(each.name, name))
    .at(-1);
  return former === undefined ? undefined : world.tables.repositories.find(former.repositoryId);
}

export function includes(installation: Installation, repository: Repository): boolean {
  if (installation.accountId !== repository.ownerId) return false;
  return installation.selection === 'all' || installation.repositoryIds.includes(repository.id);
}

export function installationOf(world: World, repository: Repository): Installation | undefined {
  return world.tables.installations.first((installation) => includes(installation, repository));
}

export function installedRepositories(world: World, installation: Installation): Repository[] {
  return world.tables.repositories.filter((repository) => includes(installation, repository));
}

/** The account that the App writes as. */
export function appUser(world: World): User {
  const login = `${world.app.slug}[bot]`;
  return (
    findUser(world, login) ??
    world.tables.users.insert({ login, type: 'Bot', createdAt: world.app.createdAt, secretHashes: [] })
  );
}
