/** What an installation token or a user may do to a repository. */
import type { PermissionName, Permissions, Repository, Role, User } from '../state/model.ts';
import { includes, type World } from '../world.ts';
import type { Actor, InstallationActor, UserActor } from './credentials.ts';
import { notAccessible, notFound, Refusal, requiresAuthentication } from './refusal.ts';

/** Any one of these suffices, as GitHub documents it for an operation. */
export type Need = { readonly permission: PermissionName; readonly level: 'read' | 'write' };

const roleOrder: readonly Role[] = ['read', 'triage', 'write', 'maintain', 'admin'];

export function roleOf(world: World, repository: Repository, user: User): Role | null {
  if (repository.ownerId === user.id) return 'admin';
  const granted = repository.collaborators.find(({ userId }) => userId === user.id);
  if (granted !== undefined) return granted.role;
  const isMember = world.tables.teams.first(
    (team) => team.organizationId === repository.ownerId && team.memberIds.includes(user.id),
  );
  return !repository.private || isMember !== undefined ? 'read' : null;
}

export function roleIncludes(role: Role | null, least: Role): boolean {
  return role !== null && roleOrder.indexOf(role) >= roleOrder.indexOf(least);
}

export function permits(permissions: Permissions, { permission, level }: Need): boolean {
  const granted = permissions[permission];
  return granted === 'admin' || granted === 'write' || (granted === 'read' && level === 'read');
}

export function reaches(actor: InstallationActor, repository: Repository): boolean {
  const { token, installation } = actor;
  if (!includes(installation, repository)) return false;
  return token.repositoryIds === null || token.repositoryIds.includes(repository.id);
}

const leastRoleForWrite: Partial<Readonly<Record<PermissionName, Role>>> = {
  // Anyone who can read a repository can comment on it.
  issues: 'read',
  pull_requests: 'read',
  administration: 'admin',
};

function leastRole({ permission, level }: Need): Role {
  return level === 'read' ? 'read' : (leastRoleForWrite[permission] ?? 'write');
}

/** Throws 404 for what the actor cannot see, 403 for what it sees and may not do. */
export function authorize(
  world: World,
  { actor, repository, needs }: { actor: Actor; repository: Repository; needs: readonly Need[] },
): InstallationActor | UserActor {
  switch (actor.kind) {
    case 'anonymous':
      throw requiresAuthentication();
    case 'app':
      throw new Refusal(401, 'Bad credentials');
    case 'installation':
      if (!reaches(actor, repository)) throw notFound();
      if (actor.installation.suspendedAt !== null) throw new Refusal(403, 'This installation has been suspended');
      if (!needs.some((need) => permits(actor.token.permissions, need))) throw notAccessible();
      return actor;
    case 'user': {
      const role = roleOf(world, repository, actor.user);
      if (role === null) throw notFound();
      if (!needs.some((need) => roleIncludes(role, leastRole(need))))
        throw new Refusal(403, `Must have ${needs.map(leastRole).join(' or ')} rights to Repository.`);
      return actor;
    }
  }
}
