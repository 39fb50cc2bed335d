/** `landfall environment`: which there are, and how one ends. */
import { Command, Option } from 'commander';
import Type from 'typebox';
import { EnvironmentRemoved } from '../../core/contract/resources/environments.ts';
import { ProjectResource } from '../../core/contract/resources/projects.ts';
import type { ApiClient } from '../client.ts';
import { confirmName } from '../environment/confirm.ts';
import {
  allEnvironments,
  renderEnding,
  renderEnvironments,
  renderRemoved,
  type ShownEnvironment,
} from '../environment/render.ts';
import { chooseEnvironment } from '../secret/choose-environment.ts';
import { asking, connected, printAnswer, type AskOptions } from './shared.ts';

interface RemoveOptions extends AskOptions {
  /** `owner/name` */
  repository?: string;
  yes?: true;
}

const ProjectList = Type.Object({ projects: Type.Array(ProjectResource) });

async function projectsOf(api: ApiClient): Promise<ProjectResource[]> {
  return (await api.call({ method: 'GET', path: '/api/v1/projects', answer: ProjectList })).projects;
}

async function list(options: AskOptions): Promise<void> {
  const projects = await projectsOf(connected(options).api);
  const environments = allEnvironments(projects).map(({ project, environment }) => ({
    ...{ repository: project.repository, removed: project.removed },
    ...environment,
  }));
  printAnswer(options, { environments }, () => renderEnvironments(projects));
}

async function find(api: ApiClient, environment: string, { repository }: RemoveOptions): Promise<ShownEnvironment> {
  const projects = await projectsOf(api);
  const { id } = chooseEnvironment(projects, { environment, ...(repository === undefined ? {} : { repository }) });
  const shown = allEnvironments(projects).find((each) => each.environment.id === id);
  if (shown === undefined) throw new Error(`The environment ${id} was chosen and is not there.`);
  return shown;
}

async function remove(name: string, options: RemoveOptions): Promise<void> {
  const { api } = connected(options);
  const shown = await find(api, name, options);
  if (options.yes !== true) {
    process.stderr.write(`${renderEnding(shown)}\n`);
    await confirmName(name, { input: process.stdin, output: process.stderr });
  }
  const path = `/api/v1/environments/${shown.environment.id}`;
  const answer = await api.call({ method: 'DELETE', path, answer: EnvironmentRemoved });
  printAnswer(options, answer, () => renderRemoved(shown, answer));
}

export function environmentCommand(): Command {
  const environment = new Command('environment').description('list environments, and end one').addHelpText(
    'after',
    `
Environments are made by the first push to the branch that they follow (landfall.yml on the default branch). One that
is taken out of landfall.yml runs on, because a line can be lost by mistake: it is ended here.

Examples:
  landfall environment list
  landfall environment remove staging                      asks for its name before it ends
  landfall environment remove staging --repository acme/shop --yes`,
  );
  asking(environment.command('list')).description('show environments, and what nothing asks for any more').action(list);
  asking(environment.command('remove').argument('<name>', 'as landfall environment list shows it'))
    .description('stop its services, delete its secrets, and set its deployments at GitHub inactive')
    .addOption(new Option('-r, --repository <owner/name>', 'when several repositories have the environment'))
    .addOption(new Option('--yes', 'do not ask'))
    .action(remove);
  return environment;
}
