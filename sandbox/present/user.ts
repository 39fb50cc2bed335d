/** Accounts as the REST API shows them. */
import type { components } from '@octokit/openapi-types';
import type { Role, User } from '../state/model.ts';
import type { World } from '../world.ts';
import { iso, nodeId } from './time.ts';

type Schemas = components['schemas'];

export function presentUser(world: World, user: User): Schemas['simple-user'] {
  const url = `${world.apiUrl}/users/${encodeURIComponent(user.login)}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId(user.type, user.id),
    avatar_url: `${world.url}/_avatars/${user.id}`,
    gravatar_id: '',
    url,
    html_url: `${world.url}/${encodeURIComponent(user.login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    site_admin: false,
    user_view_type: 'public',
  };
}

export function presentAccount(world: World, user: User): Schemas['public-user'] {
  return {
    ...presentUser(world, user),
    name: user.login,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: iso(user.createdAt),
    updated_at: iso(user.createdAt),
  };
}

/** The older, four-valued permission: `maintain` counts as `write`, `triage` as `read`. */
export function legacyPermission(role: Role | null): 'admin' | 'write' | 'read' | 'none' {
  switch (role) {
    case 'admin':
      return 'admin';
    case 'maintain':
    case 'write':
      return 'write';
    case 'triage':
    case 'read':
      return 'read';
    case null:
      return 'none';
  }
}

function permissionFlags(role: Role | null) {
  const order: readonly (Role | null)[] = ['read', 'triage', 'write', 'maintain', 'admin'];
  const rank = order.indexOf(role);
  return { pull: rank >= 0, triage: rank >= 1, push: rank >= 2, maintain: rank >= 3, admin: rank >= 4 };
}

export function presentCollaborator(world: World, user: User, role: Role | null): Schemas['collaborator'] {
  return { ...presentUser(world, user), permissions: permissionFlags(role), role_name: role ?? 'none' };
}
