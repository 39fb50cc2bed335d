/** Repositories, their activity, and who may do what in them. */
import type { components } from '@octokit/openapi-types';
import { roleOf } from '../http/access.ts';
import { reading, repositoryOperation, type Answer, type RepositoryCall } from '../http/operation.ts';
import { paginate, paginateByCursor } from '../http/paginate.ts';
import { notFound } from '../http/refusal.ts';
import { presentRepository } from '../present/repository.ts';
import { iso, nodeId } from '../present/time.ts';
import { legacyPermission, presentCollaborator, presentUser } from '../present/user.ts';
import type { RefUpdate, User } from '../state/model.ts';
import { findUser, owner, type World } from '../world.ts';

type Schemas = components['schemas'];

function getRepository({ world, repository }: RepositoryCall<'repos/get'>): Answer {
  return { status: 200, body: presentRepository(world, repository) };
}

function presentActivity(world: World, update: RefUpdate): Schemas['activity'] {
  return {
    id: update.id,
    node_id: nodeId('Push', update.id),
    before: update.before,
    after: update.after,
    ref: update.ref,
    timestamp: iso(update.at),
    activity_type: update.kind,
    actor: presentUser(world, world.tables.users.get(update.actorId)),
  };
}

const periods: Readonly<Record<string, number>> = { day: 1, week: 7, month: 31, quarter: 92, year: 366 };

function listActivity({ world, repository, query, url }: RepositoryCall<'repos/list-activities'>): Answer {
  const { ref, actor, activity_type, time_period, direction } = query;
  const fullRef = ref === undefined || ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
  const oldest = time_period === undefined ? 0 : world.now() - (periods[time_period] ?? 366) * 86_400_000;
  const list = world.tables.refUpdates
    .filter((update) => update.repositoryId === repository.id && update.at >= oldest)
    .filter((update) => fullRef === undefined || update.ref === fullRef)
    .filter((update) => activity_type === undefined || update.kind === activity_type)
    .filter((update) => actor === undefined || world.tables.users.get(update.actorId).login === actor);
  const ordered = direction === 'asc' ? list : list.reverse();
  const { items, headers } = paginateByCursor(ordered, query, url);
  return { status: 200, body: items.map((update) => presentActivity(world, update)), headers };
}

function requireUser(world: World, login: string): User {
  const user = findUser(world, login);
  if (user === undefined) throw notFound();
  return user;
}

function getPermission(call: RepositoryCall<'repos/get-collaborator-permission-level'>): Answer {
  const { world, repository, params } = call;
  const user = requireUser(world, params.username);
  const role = roleOf(world, repository, user);
  const body: Schemas['repository-collaborator-permission'] = {
    permission: legacyPermission(role),
    role_name: role ?? 'none',
    user: presentCollaborator(world, user, role),
  };
  return { status: 200, body };
}

function checkCollaborator({ world, repository, params }: RepositoryCall<'repos/check-collaborator'>): Answer {
  const user = requireUser(world, params.username);
  const isCollaborator =
    user.id === repository.ownerId || repository.collaborators.some(({ userId }) => userId === user.id);
  if (!isCollaborator) throw notFound();
  return { status: 204 };
}

function listCollaborators({ world, repository, query, url }: RepositoryCall<'repos/list-collaborators'>): Answer {
  const granted = repository.collaborators.map(({ userId }) => world.tables.users.get(userId));
  const account = owner(world, repository);
  const { items, headers } = paginate(account.type === 'User' ? [account, ...granted] : granted, query, url);
  const body = items.map((user) => presentCollaborator(world, user, roleOf(world, repository, user)));
  return { status: 200, body, headers };
}

export const repositoryOperations = [
  repositoryOperation('repos/get', reading('metadata'), getRepository),
  repositoryOperation('repos/list-activities', reading('contents'), listActivity),
  repositoryOperation('repos/get-collaborator-permission-level', reading('metadata'), getPermission),
  repositoryOperation('repos/check-collaborator', reading('metadata'), checkCollaborator),
  repositoryOperation('repos/list-collaborators', reading('metadata'), listCollaborators),
];
