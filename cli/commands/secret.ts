/** `landfall secret`: values that services get as variables, and that nobody reads back. */
import { Command, Option } from 'commander';
import Type from 'typebox';
import Value from 'typebox/value';
import { ProjectResource } from '../../core/contract/resources/projects.ts';
import { SecretList, SecretRemoved, SecretSet } from '../../core/contract/resources/secrets.ts';
import { SecretName } from '../../core/spec/service.ts';
import { InputError } from '../../platform/errors/errors.ts';
import type { ApiClient } from '../client.ts';
import { chooseEnvironment, type ChosenEnvironment, type EnvironmentFlags } from '../secret/choose-environment.ts';
import { readValue } from '../secret/read-value.ts';
import { age, renderTable } from '../table.ts';
import { asking, connected, printAnswer, type AskOptions } from './shared.ts';

interface SecretOptions extends AskOptions, EnvironmentFlags {
  service?: string;
}

const ProjectList = Type.Object({ projects: Type.Array(ProjectResource) });

async function environmentOf(api: ApiClient, options: SecretOptions): Promise<ChosenEnvironment> {
  const { projects } = await api.call({ method: 'GET', path: '/api/v1/projects', answer: ProjectList });
  return chooseEnvironment(projects, options);
}

function checkName(name: string): void {
  if (name.includes('='))
    throw new InputError(
      'name_invalid',
      'Give the name alone: the value is asked for, or read from standard input, because others see arguments.',
      { path: 'NAME' },
    );
  if (!Value.Check(SecretName, name))
    throw new InputError('name_invalid', 'A name has letters, digits and _, no digit first, at most 100 of them.', {
      path: 'NAME',
    });
}

function pathOf(environment: ChosenEnvironment, name: string, { service }: SecretOptions): string {
  const query = service === undefined ? '' : `?${new URLSearchParams({ service }).toString()}`;
  return `/api/v1/environments/${environment.id}/secrets/${name}${query}`;
}

function labelOf(environment: ChosenEnvironment, name: string, { service }: SecretOptions): string {
  return [name, ...(service === undefined ? [] : [service]), environment.name].join(' of ');
}

function rolling(rollouts: SecretSet['rollouts']): string {
  if (rollouts.length === 0) return 'No service that runs uses it: the next deploy takes it up.';
  return `Rolling out with it: ${rollouts.map(({ service }) => service).join(', ')}. landfall status shows how it goes.`;
}

async function set(name: string, options: SecretOptions): Promise<void> {
  checkName(name);
  const { api } = connected(options);
  const environment = await environmentOf(api, options);
  const label = labelOf(environment, name, options);
  const value = await readValue(`Value of ${label} (not shown)`, { input: process.stdin, output: process.stderr });
  const answer = await api.call({
    method: 'PUT',
    path: pathOf(environment, name, options),
    body: { value },
    answer: SecretSet,
  });
  printAnswer(options, answer, () => `${label} is set (version ${answer.secret.version}). ${rolling(answer.rollouts)}`);
}

function usedBy({ version, usedBy: uses }: SecretList['secrets'][number]): string {
  const names = uses.map((use) => (use.version === version ? use.service : `${use.service} (version ${use.version})`));
  return names.length === 0 ? '–' : names.join(', ');
}

type RenderedEnvironment = Pick<ChosenEnvironment, 'name' | 'repository'>;

export function renderSecrets({ secrets, missing }: SecretList, environment: RenderedEnvironment, now: Date): string {
  const table = renderTable(
    ['name', 'service', 'version', 'set', 'by', 'used by'],
    secrets.map((secret) => [
      secret.name,
      secret.service ?? 'all',
      String(secret.version),
      `${age(new Date(secret.setAt), now)} ago`,
      secret.setBy,
      usedBy(secret),
    ]),
  );
  const lacking = missing.map(
    ({ service, name }) =>
      `${service} needs ${name}, which is not set: landfall secret set ${name} --environment ${environment.name} --repository ${environment.repository}`,
  );
  const first = secrets.length === 0 ? `${environment.name} has no secrets.` : table;
  return [first, ...lacking].join('\n');
}

async function list(options: SecretOptions): Promise<void> {
  const { api } = connected(options);
  const environment = await environmentOf(api, options);
  const path = `/api/v1/environments/${environment.id}/secrets`;
  const answer = await api.call({ method: 'GET', path, answer: SecretList });
  printAnswer(options, answer, () => renderSecrets(answer, environment, new Date()));
}

async function remove(name: string, options: SecretOptions): Promise<void> {
  checkName(name);
  const { api } = connected(options);
  const environment = await environmentOf(api, options);
  const answer = await api.call({
    method: 'DELETE',
    path: pathOf(environment, name, options),
    answer: SecretRemoved,
  });
  const others = answer.rollouts.map(({ service }) => service).join(', ');
  const next = others === '' ? '' : ` Rolling out without it: ${others}.`;
  printAnswer(options, answer, () => `${labelOf(environment, name, options)} is removed.${next}`);
}

function ofEnvironment(command: Command): Command {
  return asking(command)
    .addOption(new Option('-e, --environment <name>', 'when there are several'))
    .addOption(new Option('-r, --repository <owner/name>', 'when several repositories have the environment'));
}

function ofService(command: Command): Command {
  return ofEnvironment(command).addOption(new Option('--service <name>', 'for this service alone'));
}

export function secretCommand(): Command {
  const secret = new Command('secret').description('set, list and remove the secrets of an environment').addHelpText(
    'after',
    `
A service names its secrets in landfall.yml and gets them as variables:
  secrets: [DATABASE_PASSWORD]

Examples:
  landfall secret set DATABASE_PASSWORD                  asks for the value, and does not show it
  landfall secret set TLS_KEY < key.pem                  from a file; one line end at its end is left out
  openssl rand -hex 32 | landfall secret set COOKIE_KEY --environment staging
  landfall secret set TOKEN --service worker             for one service, before the one of the environment
  landfall secret list                                   names, versions and who uses them
  landfall secret remove TOKEN

A new value is rolled out to the services that run with it, like a push: the old replicas serve until the new ones do.`,
  );
  ofService(secret.command('set').argument('<name>', 'letters, digits and _'))
    .description('set a secret to what is typed, or comes on standard input')
    .action(set);
  ofEnvironment(secret.command('list')).description('show names and versions, never values').action(list);
  ofService(secret.command('remove').argument('<name>', 'as landfall secret list shows it'))
    .description('remove a secret that no service needs any more')
    .action(remove);
  return secret;
}
