/** The words of `landfall environment`: what there is, what nothing asks for any more, and what ends when one is removed. */
import type { EnvironmentRemoved, EnvironmentResource } from '../../core/contract/resources/environments.ts';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { renderTable } from '../table.ts';

export interface ShownEnvironment {
  project: ProjectResource;
  environment: EnvironmentResource;
}

export function allEnvironments(projects: readonly ProjectResource[]): ShownEnvironment[] {
  return projects.flatMap((project) => project.environments.map((environment) => ({ project, environment })));
}

/** Why nothing asks for it any more; null when something does. */
function abandoned({ project, environment }: ShownEnvironment): string | null {
  if (project.removed) return 'its repository is gone, or out of the installation';
  return environment.configured ? null : 'no longer in landfall.yml';
}

export function renderEnvironments(projects: readonly ProjectResource[]): string {
  const rows = allEnvironments(projects).map(({ project, environment }) => [
    project.repository,
    environment.name,
    environment.services.map(({ name, replicas }) => `${name} ${replicas.healthy}/${replicas.wanted}`).join(', ') ||
      '–',
    environment.url ?? '–',
    abandoned({ project, environment }) ?? '',
  ]);
  if (rows.length === 0) return 'There is no environment yet. The first push makes those it deploys to.';
  return renderTable(['repository', 'environment', 'healthy', 'url', 'note'], rows);
}

/** What is there and nothing asks for, each with how it is ended; empty when there is none. */
export function renderAbandoned(projects: readonly ProjectResource[]): string {
  return allEnvironments(projects)
    .filter(({ environment }) => environment.services.length > 0)
    .flatMap((shown) => {
      const why = abandoned(shown);
      const { project, environment } = shown;
      const command = `landfall environment remove ${environment.name} --repository ${project.repository}`;
      if (why === null) return [];
      const runs = environment.services.some(({ serving, replicas }) => serving !== null || replicas.healthy > 0);
      return [`\n\n${label(shown)} ${runs ? 'runs on' : 'is left over'}: ${why}. To end it: ${command}`];
    })
    .join('');
}

export function label({ project, environment }: ShownEnvironment): string {
  return `${environment.name} of ${project.repository}`;
}

/** Before a person agrees to it. */
export function renderEnding({ project, environment }: ShownEnvironment): string {
  const names = environment.services.map(({ name, replicas }) => `${name} (replicas: ${replicas.wanted})`);
  const lines = [
    `This ends ${label({ project, environment })}:`,
    `- ${names.length === 0 ? 'it has no services' : `its services stop: ${names.join(', ')}`}`,
    '- what is under way there is cancelled, and its deployments at GitHub become inactive',
    '- its secrets are deleted, and cannot be brought back',
  ];
  if (abandoned({ project, environment }) === null)
    lines.push('landfall.yml still names it: the next push of its branch makes it anew, without its secrets.');
  return lines.join('\n');
}

export function renderRemoved(shown: ShownEnvironment, { services, secrets }: EnvironmentRemoved): string {
  const stopping = services.length === 0 ? 'It had no services.' : `Stopping: ${services.join(', ')}.`;
  return `${label(shown)} is removed. ${stopping} Secrets deleted: ${secrets}.`;
}
