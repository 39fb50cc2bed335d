/** `landfall build`: what was built or is being built, and the end of one. */
import { Command } from 'commander';
import Type from 'typebox';
import { BuildResource } from '../../core/contract/resources/builds.ts';
import { age, renderTable } from '../table.ts';
import { asking, connected, numberOption, printAnswer, type AskOptions } from './shared.ts';

interface ListOptions extends AskOptions {
  number: string;
}

const BuildList = Type.Object({ builds: Type.Array(BuildResource) });

export function renderBuilds(builds: BuildResource[], now: Date): string {
  if (builds.length === 0) return 'There are none. A push to a branch that an environment follows makes the first.';
  return renderTable(
    ['id', 'made', 'repository', 'service', 'commit', 'status', 'node', 'why'],
    builds.map((build) => [
      build.id,
      `${age(new Date(build.createdAt), now)} ago`,
      ...[build.repository, build.service, build.sha.slice(0, 7), build.status, build.nodeName ?? '–'],
      build.reason ?? '',
    ]),
  );
}

/** After it was asked for: what has ended before is left as it is. */
export function renderCancelled({ id, service, status, reason }: BuildResource): string {
  if (status === 'cancelled') return `The build ${id} of ${service} is cancelled. What runs keeps running.`;
  return `The build ${id} of ${service} has ended already: ${status}${reason === null ? '' : `, ${reason}`}`;
}

async function list(options: ListOptions): Promise<void> {
  const { api } = connected(options);
  const path = `/api/v1/builds?limit=${options.number}`;
  const { builds } = await api.call({ method: 'GET', path, answer: BuildList });
  printAnswer(options, builds, () => renderBuilds(builds, new Date()));
}

async function cancel(id: string, options: AskOptions): Promise<void> {
  const { api } = connected(options);
  const path = `/api/v1/builds/${encodeURIComponent(id)}/cancel`;
  const build = await api.call({ method: 'POST', path, answer: BuildResource });
  printAnswer(options, build, () => renderCancelled(build));
}

export function buildCommand(): Command {
  return new Command('build')
    .description('list builds, or cancel one')
    .addCommand(
      asking(new Command('list')).description('show the newest builds').addOption(numberOption()).action(list),
    )
    .addCommand(
      asking(new Command('cancel'))
        .description('end a build that waits or runs; what runs on servers keeps running')
        .argument('<id>', 'of the build')
        .addHelpText(
          'after',
          `
The commit is not deployed then, and its check run says who cancelled it. Running the check again at GitHub builds it
again. A newer push of the same branch ends a build by itself.

Examples:
  landfall build list
  landfall build cancel 0199a3c2-…`,
        )
        .action(cancel),
    );
}
