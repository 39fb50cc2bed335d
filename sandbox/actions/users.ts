/** Accounts, teams and the secrets that sign them in. */
import { hashSecret, newSecret } from '../http/credentials.ts';
import type { Repository, Role, Team, User } from '../state/model.ts';
import { findUser, type World } from '../world.ts';

export type AccountType = 'User' | 'Organization';

const loginPattern = /^[a-z\d](?:[a-z\d]|-(?=[a-z\d])){0,38}$/i;

/** What the caller of the control API asked for cannot be: with the words to fix it. */
export class ImpossibleRequest extends Error {}

export function createUser(world: World, { login, type }: { login: string; type: AccountType }): User {
  if (!loginPattern.test(login))
    throw new ImpossibleRequest(`"${login}" is no GitHub login: letters, digits, single dashes.`);
  if (findUser(world, login) !== undefined) throw new ImpossibleRequest(`The account ${login} exists.`);
  return world.tables.users.insert({ login, type, createdAt: world.now(), secretHashes: [] });
}

export function ensureUser(world: World, login: string): User {
  return findUser(world, login) ?? createUser(world, { login, type: 'User' });
}

/** A new token that signs a user in, over REST and as a password of git. It is shown once. */
export function issueToken(world: World, user: User): string {
  const secret = newSecret('ghp_');
  const { secretHashes } = world.tables.users.get(user.id);
  world.tables.users.update(user.id, { secretHashes: [...secretHashes, hashSecret(secret)] });
  return secret;
}

/** `null` takes the user's role away. */
export function setRole(
  world: World,
  repository: Repository,
  { user, role }: { user: User; role: Role | null },
): Repository {
  const others = world.tables.repositories.get(repository.id).collaborators.filter(({ userId }) => userId !== user.id);
  const collaborators = role === null ? others : [...others, { userId: user.id, role }];
  return world.tables.repositories.update(repository.id, { collaborators });
}

export interface NewTeam {
  readonly organization: User;
  readonly slug: string;
  readonly members: readonly User[];
}

export function setTeam(world: World, { organization, slug, members }: NewTeam): Team {
  const memberIds = members.map(({ id }) => id);
  const known = world.tables.teams.first((team) => team.organizationId === organization.id && team.slug === slug);
  if (known !== undefined) return world.tables.teams.update(known.id, { memberIds });
  return world.tables.teams.insert({ organizationId: organization.id, slug, name: slug, memberIds });
}
