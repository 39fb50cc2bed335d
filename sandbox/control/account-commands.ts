/** Control of accounts, teams and installations. */
import Type from 'typebox';
import { install, selectRepositories, setSuspended, uninstall } from '../actions/installations.ts';
import { createUser, ensureUser, ImpossibleRequest, issueToken, setTeam } from '../actions/users.ts';
import type { Installation, User } from '../state/model.ts';
import type { World } from '../world.ts';
import { command, object, requireRepository, requireUser, text } from './command.ts';

const accountType = Type.Union([Type.Literal('User'), Type.Literal('Organization')]);
const installationId = Type.Integer();

function requireInstallation(world: World, id: number): Installation {
  const installation = world.tables.installations.find(id);
  if (installation === undefined) throw new ImpossibleRequest(`The sandbox has no installation with id ${id}.`);
  return installation;
}

function describeUser({ id, login, type }: User) {
  return { id, login, type };
}

export const accountCommands = {
  createUser: command(object({ login: text, type: Type.Optional(accountType) }), (world, input) =>
    describeUser(createUser(world, { login: input.login, type: input.type ?? 'User' })),
  ),
  listUsers: command(object({}), (world) => world.tables.users.all().map(describeUser)),
  /** A token that signs the user in over REST. */
  userToken: command(object({ login: text }), (world, input) => ({
    token: issueToken(world, ensureUser(world, input.login)),
  })),
  setTeam: command(object({ organization: text, slug: text, members: Type.Array(text) }), (world, input) => {
    const organization = requireUser(world, input.organization);
    if (organization.type !== 'Organization')
      throw new ImpossibleRequest(`${organization.login} is no organization, so it has no teams.`);
    const members = input.members.map((login) => ensureUser(world, login));
    return { id: setTeam(world, { organization, slug: input.slug, members }).id };
  }),
  install: command(object({ login: text }), (world, input) => ({
    id: install(world, ensureUser(world, input.login)).id,
  })),
  uninstall: command(object({ installationId }), (world, input) => {
    uninstall(world, requireInstallation(world, input.installationId));
    return {};
  }),
  suspend: command(object({ installationId }), (world, input) => {
    setSuspended(world, requireInstallation(world, input.installationId), world.now());
    return {};
  }),
  unsuspend: command(object({ installationId }), (world, input) => {
    setSuspended(world, requireInstallation(world, input.installationId), null);
    return {};
  }),
  /** Limits the installation to these repositories. */
  selectRepositories: command(object({ installationId, repositoryIds: Type.Array(Type.Integer()) }), (world, input) => {
    const chosen = input.repositoryIds.map((id) => requireRepository(world, id));
    selectRepositories(world, requireInstallation(world, input.installationId), chosen);
    return {};
  }),
};
