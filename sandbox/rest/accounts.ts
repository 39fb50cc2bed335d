/** Users, and the teams of organizations. */
import type { components } from '@octokit/openapi-types';
import { permits } from '../http/access.ts';
import { accountOperation, type Answer, type Call } from '../http/operation.ts';
import { paginate } from '../http/paginate.ts';
import { notAccessible, notFound, Refusal, requiresAuthentication } from '../http/refusal.ts';
import { iso, nodeId } from '../present/time.ts';
import { presentAccount, presentUser } from '../present/user.ts';
import type { Team, User } from '../state/model.ts';
import { findUser, type World } from '../world.ts';

type Schemas = components['schemas'];

function getUser({ world, params }: Call<'users/get-by-username'>): Answer {
  const user = findUser(world, params.username);
  if (user === undefined) throw notFound();
  return { status: 200, body: presentAccount(world, user) };
}

function getAuthenticated({ world, actor }: Call<'users/get-authenticated'>): Answer {
  if (actor.kind === 'installation') throw notAccessible();
  if (actor.kind !== 'user') throw requiresAuthentication();
  return { status: 200, body: presentAccount(world, actor.user) };
}

/** The organization, when the actor may read its members. */
function requireOrganization({ world, actor }: Call<never>, login: string): User {
  const organization = findUser(world, login);
  if (organization?.type !== 'Organization') throw notFound();
  if (actor.kind === 'anonymous') throw requiresAuthentication();
  if (actor.kind === 'app') throw new Refusal(401, 'Bad credentials');
  if (actor.kind === 'user') return organization;
  if (actor.installation.accountId !== organization.id) throw notFound();
  if (!permits(actor.token.permissions, { permission: 'members', level: 'read' })) throw notAccessible();
  return organization;
}

function requireTeam(world: World, organization: User, slug: string): Team {
  const team = world.tables.teams.first((each) => each.organizationId === organization.id && each.slug === slug);
  if (team === undefined) throw notFound();
  return team;
}

function presentTeam(world: World, organization: User, team: Team) {
  const url = `${world.apiUrl}/orgs/${organization.login}/teams/${team.slug}`;
  return {
    id: team.id,
    node_id: nodeId('Team', team.id),
    name: team.name,
    slug: team.slug,
    description: null,
    privacy: 'closed',
    notification_setting: 'notifications_enabled',
    permission: 'pull',
    url,
    html_url: `${world.url}/orgs/${organization.login}/teams/${team.slug}`,
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    type: 'organization',
    organization_id: organization.id,
    parent: null,
  } satisfies Schemas['team'];
}

function presentOrganization(world: World, organization: User): Schemas['team-organization'] {
  const { login, node_id, avatar_url, html_url } = presentUser(world, organization);
  const url = `${world.apiUrl}/orgs/${login}`;
  return {
    login,
    id: organization.id,
    node_id,
    avatar_url,
    html_url,
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    description: null,
    has_organization_projects: false,
    has_repository_projects: false,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: iso(organization.createdAt),
    updated_at: iso(organization.createdAt),
    archived_at: null,
    type: 'Organization',
  };
}

function listTeams(call: Call<'teams/list'>): Answer {
  const { world, params, query, url } = call;
  const organization = requireOrganization(call, params.org);
  const teams = world.tables.teams.filter(({ organizationId }) => organizationId === organization.id);
  const { items, headers } = paginate(teams, query, url);
  return { status: 200, body: items.map((team) => presentTeam(world, organization, team)), headers };
}

function getTeam(call: Call<'teams/get-by-name'>): Answer {
  const { world, params } = call;
  const organization = requireOrganization(call, params.org);
  const team = requireTeam(world, organization, params.team_slug);
  const body: Schemas['team-full'] = {
    ...presentTeam(world, organization, team),
    privacy: 'closed',
    notification_setting: 'notifications_enabled',
    members_count: team.memberIds.length,
    repos_count: 0,
    created_at: iso(organization.createdAt),
    updated_at: iso(organization.createdAt),
    organization: presentOrganization(world, organization),
  };
  return { status: 200, body };
}

function listMembers(call: Call<'teams/list-members-in-org'>): Answer {
  const { world, params, query, url } = call;
  const organization = requireOrganization(call, params.org);
  const team = requireTeam(world, organization, params.team_slug);
  const members = team.memberIds.map((id) => world.tables.users.get(id));
  const { items, headers } = paginate(members, query, url);
  return { status: 200, body: items.map((user) => presentUser(world, user)), headers };
}

function getMembership(call: Call<'teams/get-membership-for-user-in-org'>): Answer {
  const { world, params } = call;
  const organization = requireOrganization(call, params.org);
  const team = requireTeam(world, organization, params.team_slug);
  const user = findUser(world, params.username);
  if (user === undefined || !team.memberIds.includes(user.id)) throw notFound();
  const url = `${world.apiUrl}/orgs/${organization.login}/teams/${team.slug}/memberships/${user.login}`;
  const body: Schemas['team-membership'] = { url, role: 'member', state: 'active' };
  return { status: 200, body };
}

export const accountOperations = [
  accountOperation('users/get-authenticated', getAuthenticated),
  accountOperation('users/get-by-username', getUser),
  accountOperation('teams/list', listTeams),
  accountOperation('teams/get-by-name', getTeam),
  accountOperation('teams/list-members-in-org', listMembers),
  accountOperation('teams/get-membership-for-user-in-org', getMembership),
];
