/** Where the App is installed: on which accounts, for which repositories. */
import { presentRepositoryName } from '../present/repository.ts';
import { presentUser } from '../present/user.ts';
import type { Installation, Repository, User } from '../state/model.ts';
import { emitInstallation } from '../webhooks/emit.ts';
import { installedRepositories, type World } from '../world.ts';

function accountOf(world: World, installation: Installation): User {
  return world.tables.users.get(installation.accountId);
}

export function findInstallation(world: World, account: User): Installation | undefined {
  return world.tables.installations.first(({ accountId }) => accountId === account.id);
}

/** On all repositories of the account, those to come included. */
export function install(world: World, account: User): Installation {
  const known = findInstallation(world, account);
  if (known !== undefined) return known;
  const now = world.now();
  const installation = world.tables.installations.insert({
    accountId: account.id,
    createdAt: now,
    updatedAt: now,
    suspendedAt: null,
    selection: 'all',
    repositoryIds: [],
    permissions: world.app.permissions,
  });
  const repositories = installedRepositories(world, installation).map((each) => presentRepositoryName(world, each));
  const subject = { repositories, requester: null };
  emitInstallation(world, { name: 'installation-created', installation, sender: account, subject });
  return installation;
}

export function uninstall(world: World, installation: Installation): void {
  const repositories = installedRepositories(world, installation).map((each) => presentRepositoryName(world, each));
  const sender = accountOf(world, installation);
  emitInstallation(world, {
    name: 'installation-deleted',
    installation,
    sender,
    subject: { repositories, requester: null },
  });
  world.tables.tokens.deleteWhere(({ installationId }) => installationId === installation.id);
  world.tables.installations.delete(installation.id);
}

export function setSuspended(world: World, installation: Installation, suspendedAt: number | null): Installation {
  const changed = world.tables.installations.update(installation.id, { suspendedAt, updatedAt: world.now() });
  const name = suspendedAt === null ? 'installation-unsuspend' : 'installation-suspend';
  emitInstallation(world, { name, installation: changed, sender: accountOf(world, changed), subject: {} });
  return changed;
}

export interface RepositoriesChange {
  readonly installation: Installation;
  readonly added: readonly Repository[];
  readonly removed: readonly Repository[];
}

export function tellRepositories(world: World, { installation, added, removed }: RepositoriesChange): void {
  const sender = accountOf(world, installation);
  const names = (list: readonly Repository[]) => list.map((each) => presentRepositoryName(world, each));
  const requester = presentUser(world, sender);
  const common = { repository_selection: installation.selection, requester };
  if (added.length > 0) {
    const subject = { ...common, repositories_added: names(added), repositories_removed: [] };
    emitInstallation(world, { name: 'installation-repositories-added', installation, sender, subject });
  }
  if (removed.length > 0) {
    const subject = { ...common, repositories_added: [], repositories_removed: names(removed) };
    emitInstallation(world, { name: 'installation-repositories-removed', installation, sender, subject });
  }
}

/** Limits an installation to these repositories of its account. */
export function selectRepositories(
  world: World,
  installation: Installation,
  chosen: readonly Repository[],
): Installation {
  const before = installedRepositories(world, installation);
  const changed = world.tables.installations.update(installation.id, {
    selection: 'selected',
    repositoryIds: chosen.map(({ id }) => id),
    updatedAt: world.now(),
  });
  const after = installedRepositories(world, changed);
  const added = after.filter(({ id }) => !before.some((each) => each.id === id));
  const removed = before.filter(({ id }) => !after.some((each) => each.id === id));
  tellRepositories(world, { installation: changed, added, removed });
  return changed;
}
