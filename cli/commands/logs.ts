/** `landfall logs`: the last lines of a service or a build, and those that come. */
import { setTimeout } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import Type from 'typebox';
import { LogPage } from '../../core/contract/resources/log-pages.ts';
import { ProjectResource } from '../../core/contract/resources/projects.ts';
import { InputError } from '../../platform/errors/errors.ts';
import type { ApiClient } from '../client.ts';
import { chooseService, type ServiceFlags } from '../logs/choose-service.ts';
import { followLog } from '../logs/follow.ts';
import { terminalLines } from './log-lines.ts';
import { asking, connected, print, type AskOptions } from './shared.ts';

interface LogsOptions extends AskOptions, ServiceFlags {
  build?: string;
  lines: string;
  follow?: true;
}

const ProjectList = Type.Object({ projects: Type.Array(ProjectResource) });

async function findService(api: ApiClient, name: string, options: LogsOptions): Promise<string> {
  const { projects } = await api.call({ method: 'GET', path: '/api/v1/projects', answer: ProjectList });
  return chooseService(projects, name, options).id;
}

function pagePrinter(options: LogsOptions): (page: LogPage) => void {
  const expected = new Map<string | null, number>();
  return ({ lines }) => {
    const texts = options.json === true ? lines.map((line) => JSON.stringify(line)) : terminalLines(lines, expected);
    for (const text of texts) print(text);
  };
}

async function logs(service: string | undefined, options: LogsOptions): Promise<void> {
  if ((service === undefined) === (options.build === undefined))
    throw new InputError('nothing_named', 'Name a service, or a build with --build ID.', { path: 'SERVICE' });
  const { api } = connected(options);
  const path =
    service === undefined
      ? `/api/v1/builds/${encodeURIComponent(options.build ?? '')}/log`
      : `/api/v1/services/${await findService(api, service, options)}/logs`;
  const read = (query: Record<string, string>): Promise<LogPage> =>
    api.call({ method: 'GET', path: `${path}?${new URLSearchParams(query).toString()}`, answer: LogPage });
  const printPage = pagePrinter(options);
  const page = await read({ limit: options.lines });
  printPage(page);
  if (options.follow === true)
    await followLog(page, {
      read: (cursor) => read({ wait: '20', ...(cursor === null ? {} : { cursor }) }),
      show: printPage,
      say: (sentence) => process.stderr.write(`${sentence}\n`),
      pause: () => setTimeout(1_000),
    });
}

function lineCount(text: string): string {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 5_000)
    throw new InvalidArgumentError('It is a number from 1 to 5000.');
  return text;
}

export function logsCommand(): Command {
  return asking(new Command('logs').argument('[service]', 'name of a service'))
    .description('show the log of a service or a build')
    .addOption(new Option('-e, --environment <name>', 'when several environments have the service'))
    .addOption(new Option('-r, --repository <owner/name>', 'when several repositories have the service'))
    .addOption(new Option('--build <id>', 'the log of this build instead'))
    .addOption(new Option('-n, --lines <number>', 'how many of the last lines').default('100').argParser(lineCount))
    .addOption(new Option('-f, --follow', 'go on with what comes, also after a restart of the server'))
    .addHelpText(
      'after',
      `
Examples:
  landfall logs web                       the last 100 lines of web
  landfall logs web -e staging -f         and what comes
  landfall logs web -r acme/shop          of one repository, where several have a web
  landfall logs --build 0199…             of a build; landfall build list has the ids`,
    )
    .action(logs);
}
