/** The App and its installations as the REST API shows them. */
import type { components } from '@octokit/openapi-types';
import type { Installation, InstallationToken } from '../state/model.ts';
import { appUser, type World } from '../world.ts';
import { iso, isoOrNull, nodeId } from './time.ts';
import { presentUser } from './user.ts';

type Schemas = components['schemas'];
type Integration = NonNullable<Schemas['integration']>;

export function presentApp(world: World): Integration {
  const { app } = world;
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('Integration', app.id),
    client_id: `Iv23sandbox${app.id}`,
    owner: presentUser(world, appUser(world)),
    name: app.slug,
    description: null,
    external_url: world.url,
    html_url: `${world.url}/apps/${app.slug}`,
    created_at: iso(app.createdAt),
    updated_at: iso(app.createdAt),
    permissions: stringPermissions(app.permissions),
    events: [...app.events],
  };
}

function stringPermissions(permissions: Schemas['app-permissions']): Record<string, string> {
  return Object.fromEntries(Object.entries(permissions));
}

export function presentInstallation(world: World, installation: Installation): Schemas['installation'] {
  const account = world.tables.users.get(installation.accountId);
  const url = `${world.apiUrl}/app/installations/${installation.id}`;
  return {
    id: installation.id,
    account: presentUser(world, account),
    repository_selection: installation.selection,
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${world.apiUrl}/installation/repositories`,
    html_url: `${world.url}/settings/installations/${installation.id}`,
    app_id: world.app.id,
    app_slug: world.app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: [...world.app.events],
    created_at: iso(installation.createdAt),
    updated_at: iso(installation.updatedAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: installation.suspendedAt === null ? null : presentUser(world, account),
    suspended_at: isoOrNull(installation.suspendedAt),
  };
}

/** As other events name the installation they were sent for. */
export function presentInstallationName(installation: Installation): Schemas['simple-installation'] {
  return { id: installation.id, node_id: nodeId('Installation', installation.id) };
}

export function presentToken(
  secret: string,
  token: InstallationToken,
  repositories: Schemas['repository'][] | null,
): Schemas['installation-token'] {
  return {
    token: secret,
    expires_at: iso(token.expiresAt),
    permissions: token.permissions,
    repository_selection: repositories === null ? 'all' : 'selected',
    ...(repositories === null ? {} : { repositories }),
  };
}
