/** `landfall status`: what serves where, and what is under way. */
import { Command } from 'commander';
import Type from 'typebox';
import { MasterKeyList, type MasterKeyResource } from '../../core/contract/master-keys.ts';
import { BuildResource } from '../../core/contract/resources/builds.ts';
import { IntentResource } from '../../core/contract/resources/intents.ts';
import { ProjectResource } from '../../core/contract/resources/projects.ts';
import type { ApiClient } from '../client.ts';
import { renderAbandoned } from '../environment/render.ts';
import { age, renderTable } from '../table.ts';
import { asking, connected, printAnswer, type AskOptions } from './shared.ts';

const ProjectList = Type.Object({ projects: Type.Array(ProjectResource) });
const BuildList = Type.Object({ builds: Type.Array(BuildResource) });
const IntentList = Type.Object({ intents: Type.Array(IntentResource) });

export function renderServices(projects: ProjectResource[]): string {
  const rows = projects.flatMap((project) =>
    project.environments.flatMap((environment) =>
      environment.services.map((service) => [
        [project.repository, project.directory].filter((part) => part !== '').join('/'),
        environment.name,
        service.name,
        service.serving === null ? '–' : `${service.serving.sha.slice(0, 7)} (release ${service.serving.number})`,
        `${service.replicas.healthy}/${service.replicas.wanted}`,
        service.rollout === null ? '–' : service.rollout.stage,
        service.rollout === null || service.rollout.stage === 'running' ? '' : (service.rollout.reason ?? ''),
      ]),
    ),
  );
  if (rows.length === 0) return 'Nothing is deployed yet. Push to a branch that an environment follows.';
  return renderTable(['repository', 'environment', 'service', 'serves', 'healthy', 'rollout', 'why'], rows);
}

/** Also of what serves: it runs on, and would not be started again. */
export function renderLeftOut(projects: ProjectResource[]): string {
  const rows = projects.flatMap(({ repository, environments }) =>
    environments.flatMap((environment) =>
      environment.services.flatMap(({ leftOut }) =>
        leftOut.map(({ serviceName, replica, nodeName, message, todo }) => [
          ...[repository, environment.name, serviceName, String(replica), nodeName, `${message} ${todo}`],
        ]),
      ),
    ),
  );
  if (rows.length === 0) return '';
  const table = renderTable(['repository', 'environment', 'service', 'replica', 'node', 'why'], rows);
  return `\n\nLeft out of what nodes are told to run; where one runs already, it is left running:\n${table}`;
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

const many = (count: number): string => (count === 1 ? '1 secret' : `${count} secrets`);

/** Nothing to say of one key that opens everything. */
export function renderMasterKeys(masterKeys: MasterKeyResource[]): string {
  const count = (state: MasterKeyResource['state']): number =>
    masterKeys.filter((key) => key.state === state).reduce((sum, { secrets }) => sum + secrets, 0);
  const [older, missing] = [count('older'), count('missing')];
  if (missing > 0)
    return `\n\n${many(missing)}: the master key is missing. Start the server with it, or set them again (docs/security.md).`;
  if (older > 0)
    return `\n\nKeep the older master keys: the next start of the server takes ${many(older)} to the new one.`;
  if (masterKeys.length === 1) return '';
  return '\n\nNo secret needs the older master keys: they can be dropped. Console links that were made with them end then.';
}

/** What serves where, and the newest pushes with the builds of that time, whose ids `landfall logs --build` takes. */
export async function readStatus(api: ApiClient) {
  const { projects } = await api.call({ method: 'GET', path: '/api/v1/projects', answer: ProjectList });
  const { intents } = await api.call({ method: 'GET', path: '/api/v1/intents?limit=10', answer: IntentList });
  const { masterKeys } = await api.call({ method: 'GET', path: '/api/v1/master-keys', answer: MasterKeyList });
  const { builds } = await api.call({ method: 'GET', path: '/api/v1/builds?limit=50', answer: BuildList });
  return { projects, intents, builds, masterKeys };
}

async function status(options: AskOptions): Promise<void> {
  const answer = await readStatus(connected(options).api);
  const { projects, intents, masterKeys } = answer;
  printAnswer(options, answer, () =>
    [
      renderServices(projects),
      renderLeftOut(projects),
      renderAbandoned(projects),
      renderIntents(intents, new Date()),
      renderMasterKeys(masterKeys),
    ].join(''),
  );
}

export function statusCommand(): Command {
  return asking(new Command('status'))
    .description('show what serves where, and the newest pushes')
    .addHelpText(
      'after',
      `
Examples:
  landfall status
  landfall status --json | jq '.projects[].environments[].services[].serving.sha'
  landfall status --json | jq -r '.builds[] | [.id, .repository, .service, .status] | @tsv'   for landfall logs --build`,
    )
    .action(status);
}
