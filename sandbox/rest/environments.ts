/** Environments, which appear by themselves when something is deployed to them. */
import { findEnvironment, ensureEnvironment } from '../actions/deployments.ts';
import { reading, repositoryOperation, writing, type Answer, type RepositoryCall } from '../http/operation.ts';
import { paginate } from '../http/paginate.ts';
import { notFound } from '../http/refusal.ts';
import { presentEnvironment } from '../present/deployment.ts';
import type { Environment, Repository } from '../state/model.ts';
import type { World } from '../world.ts';

function list({ world, repository, query, url }: RepositoryCall<'repos/get-all-environments'>): Answer {
  const all = world.tables.environments.filter(({ repositoryId }) => repositoryId === repository.id);
  const { items, headers } = paginate(all, query, url);
  const environments = items.map((environment) => presentEnvironment(world, repository, environment));
  return { status: 200, body: { total_count: all.length, environments }, headers };
}

function requireEnvironment(world: World, repository: Repository, name: string): Environment {
  const environment = findEnvironment(world, repository, name);
  if (environment === undefined) throw notFound();
  return environment;
}

function get({ world, repository, params }: RepositoryCall<'repos/get-environment'>): Answer {
  const environment = requireEnvironment(world, repository, params.environment_name);
  return { status: 200, body: presentEnvironment(world, repository, environment) };
}

function put({ world, repository, params }: RepositoryCall<'repos/create-or-update-environment'>): Answer {
  const environment = ensureEnvironment(world, repository, params.environment_name);
  return { status: 200, body: presentEnvironment(world, repository, environment) };
}

function remove({ world, repository, params }: RepositoryCall<'repos/delete-an-environment'>): Answer {
  world.tables.environments.delete(requireEnvironment(world, repository, params.environment_name).id);
  return { status: 204 };
}

export const environmentOperations = [
  repositoryOperation('repos/get-all-environments', reading('actions'), list),
  repositoryOperation('repos/get-environment', reading('actions'), get),
  repositoryOperation('repos/create-or-update-environment', writing('administration'), put),
  repositoryOperation('repos/delete-an-environment', writing('administration'), remove),
];
