/** The App itself, its installations and their tokens. */
import type { components } from '@octokit/openapi-types';
import { permits } from '../http/access.ts';
import { hashSecret, newSecret } from '../http/credentials.ts';
import { holderOf } from '../http/quota-holder.ts';
import {
  accountOperation,
  appOperation,
  installationOperation,
  type Answer,
  type Call,
  type InstallationCall,
} from '../http/operation.ts';
import { paginate } from '../http/paginate.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import { presentApp, presentInstallation, presentToken } from '../present/app.ts';
import { presentRepository } from '../present/repository.ts';
import type { Installation, PermissionName, Permissions, Repository } from '../state/model.ts';
import { findRepository, findUser, installationOf, installedRepositories, type World } from '../world.ts';
import { findInstallation } from '../actions/installations.ts';

const tokenLifetime = 3_600_000;

function getApp({ world }: Call<'apps/get-authenticated'>): Answer {
  return { status: 200, body: presentApp(world) };
}

function listInstallations({ world, query, url }: Call<'apps/list-installations'>): Answer {
  const { items, headers } = paginate(world.tables.installations.all(), query, url);
  return { status: 200, body: items.map((each) => presentInstallation(world, each)), headers };
}

function requireInstallation(world: World, id: number): Installation {
  const installation = world.tables.installations.find(id);
  if (installation === undefined) throw notFound();
  return installation;
}

function getInstallation({ world, params }: Call<'apps/get-installation'>): Answer {
  return { status: 200, body: presentInstallation(world, requireInstallation(world, params.installation_id)) };
}

function getRepositoryInstallation({ world, params }: Call<'apps/get-repo-installation'>): Answer {
  const repository = findRepository(world, params.owner, params.repo);
  const installation = repository === undefined ? undefined : installationOf(world, repository);
  if (installation === undefined) throw notFound();
  return { status: 200, body: presentInstallation(world, installation) };
}

function accountInstallation(world: World, login: string): Answer {
  const account = findUser(world, login);
  const installation = account === undefined ? undefined : findInstallation(world, account);
  if (installation === undefined) throw notFound();
  return { status: 200, body: presentInstallation(world, installation) };
}

type TokenRequest = NonNullable<Call<'apps/create-installation-access-token'>['body']>;

/** `null`: no narrowing was asked for. */
function narrowRepositories(world: World, installation: Installation, request: TokenRequest): Repository[] | null {
  if (request.repositories === undefined && request.repository_ids === undefined) return null;
  const reachable = installedRepositories(world, installation);
  const byName = (request.repositories ?? []).map((name) =>
    reachable.find((each) => each.name.toLowerCase() === name.toLowerCase()),
  );
  const byId = (request.repository_ids ?? []).map((id) => reachable.find((each) => each.id === id));
  const chosen = [...byName, ...byId];
  if (chosen.length > 500) throw new Refusal(422, 'A token can be limited to at most 500 repositories.');
  const known = chosen.filter((each): each is Repository => each !== undefined);
  if (known.length < chosen.length || chosen.length === 0)
    throw new Refusal(
      422,
      'There is at least one repository that does not exist or is not accessible to the parent installation.',
    );
  return known;
}

function narrowPermissions(installation: Installation, asked: Permissions | undefined): Permissions {
  if (asked === undefined) return installation.permissions;
  for (const [permission, level] of Object.entries(asked) as [PermissionName, 'read' | 'write' | 'admin'][]) {
    const need = { permission, level: level === 'read' ? 'read' : 'write' } as const;
    if (!permits(installation.permissions, need))
      throw new Refusal(422, 'The permissions requested are not granted to this installation.');
  }
  // Every token reads metadata.
  return { ...asked, metadata: 'read' };
}

function createToken({ world, params, body }: Call<'apps/create-installation-access-token'>): Answer {
  const installation = requireInstallation(world, params.installation_id);
  if (installation.suspendedAt !== null) throw new Refusal(403, 'This installation has been suspended');
  const request = body ?? {};
  const repositories = narrowRepositories(world, installation, request);
  const permissions = narrowPermissions(installation, request.permissions);
  const secret = newSecret('ghs_');
  world.tables.tokens.deleteWhere(({ expiresAt }) => expiresAt <= world.now());
  const token = world.tables.tokens.insert({
    hash: hashSecret(secret),
    installationId: installation.id,
    expiresAt: world.now() + tokenLifetime,
    permissions,
    repositoryIds: repositories?.map(({ id }) => id) ?? null,
  });
  const shown = repositories?.map((each) => presentRepository(world, each)) ?? null;
  return { status: 201, body: presentToken(secret, token, shown) };
}

function revokeToken({ world, actor }: InstallationCall<'apps/revoke-installation-access-token'>): Answer {
  world.tables.tokens.delete(actor.token.id);
  return { status: 204 };
}

function listRepositories(call: InstallationCall<'apps/list-repos-accessible-to-installation'>): Answer {
  const { world, actor, query, url } = call;
  const { repositoryIds } = actor.token;
  const reachable = installedRepositories(world, actor.installation).filter(
    ({ id }) => repositoryIds === null || repositoryIds.includes(id),
  );
  const { items, headers } = paginate(reachable, query, url);
  const repositories = items.map((each) => presentRepository(world, each));
  const repository_selection = repositoryIds === null ? actor.installation.selection : 'selected';
  return { status: 200, body: { total_count: reachable.length, repository_selection, repositories }, headers };
}

function getRateLimit({ world, actor }: Call<'rate-limit/get'>): Answer {
  const core = world.limits.quota(holderOf(actor), world.now());
  const idle = (limit: number) => ({ limit, used: 0, remaining: limit, reset: core.reset });
  const body: components['schemas']['rate-limit-overview'] = {
    resources: { core, search: idle(30), graphql: idle(5000) },
    rate: core,
  };
  return { status: 200, body };
}

export const appOperations = [
  appOperation('apps/get-authenticated', getApp),
  appOperation('apps/list-installations', listInstallations),
  appOperation('apps/get-installation', getInstallation),
  appOperation('apps/get-repo-installation', getRepositoryInstallation),
  appOperation('apps/get-org-installation', ({ world, params }) => accountInstallation(world, params.org)),
  appOperation('apps/get-user-installation', ({ world, params }) => accountInstallation(world, params.username)),
  appOperation('apps/create-installation-access-token', createToken),
  installationOperation('apps/revoke-installation-access-token', revokeToken),
  installationOperation('apps/list-repos-accessible-to-installation', listRepositories),
  accountOperation('rate-limit/get', getRateLimit),
];
