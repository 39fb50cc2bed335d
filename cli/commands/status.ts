/** `landfall status`: what serves where, and what is under way. */
import { Command } from 'commander';
import Type from 'typebox';
import { IntentResource, ProjectResource } from '../../core/contract/resources.ts';
import { age, renderTable } from '../table.ts';
import { asking, connected, printAnswer, type AskOptions } from './shared.ts';

const ProjectList = Type.Object({ projects: Type.Array(ProjectResource) });
const IntentList = Type.Object({ intents: Type.Array(IntentResource) });

function renderServices(projects: ProjectResource[]): string {
  const rows = projects.flatMap((project) =>
    project.environments.flatMap((environment) =>
      environment.services.map((service) => [
        [project.repository, project.directory].filter((part) => part !== '').join('/'),
        environment.name,
        service.name,
        service.serving === null ? '–' : `${service.serving.sha.slice(0, 7)} (release ${service.serving.number})`,
        `${service.replicas.healthy}/${service.replicas.wanted}`,
        service.rollout === null ? '–' : service.rollout.stage,
      ]),
    ),
  );
  if (rows.length === 0) return 'Nothing is deployed yet. Push to a branch that an environment follows.';
  return renderTable(['repository', 'environment', 'service', 'serves', 'healthy', 'rollout'], rows);
}

function renderIntents(intents: IntentResource[], now: Date): string {
  if (intents.length === 0) return '';
  const rows = intents.map((intent) => [
    intent.repository,
    intent.environment,
    intent.sha.slice(0, 7),
    intent.status,
    `${age(new Date(intent.requestedAt), now)} ago`,
    intent.reason ?? '',
  ]);
  return `\n\n${renderTable(['repository', 'environment', 'commit', 'status', 'asked', 'why'], rows)}`;
}

async function status(options: AskOptions): Promise<void> {
  const { api } = connected(options);
  const { projects } = await api.call({ method: 'GET', path: '/api/v1/projects', answer: ProjectList });
  const { intents } = await api.call({ method: 'GET', path: '/api/v1/intents?limit=10', answer: IntentList });
  printAnswer(options, { projects, intents }, () => `${renderServices(projects)}${renderIntents(intents, new Date())}`);
}

export function statusCommand(): Command {
  return asking(new Command('status'))
    .description('show what serves where, and the newest pushes')
    .addHelpText(
      'after',
      `
Examples:
  landfall status
  landfall status --json | jq '.projects[].environments[].services[].serving.sha'`,
    )
    .action(status);
}
