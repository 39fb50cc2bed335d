/** What the commands that ask a control plane have in common: where it is, and how their answer is printed. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { cliEnvironment } from '../../platform/config/cli.ts';
import { apiClient, type ApiClient } from '../client.ts';
import { dataOption } from '../data-option.ts';
import { resolveConnection } from '../connection.ts';

export interface AskOptions {
  url?: string;
  token?: string;
  data: string;
  json?: true;
}

/** Adds `--url`, `--token`, `--data` and `--json`. */
export function asking(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'where the control plane is (else LANDFALL_URL, else a local landfall up)'))
    .addOption(new Option('--token <token>', 'access token (else LANDFALL_TOKEN, else of a local landfall up)'))
    .addOption(dataOption('data folder of a local landfall up'))
    .addOption(new Option('--json', 'print JSON instead of a table'));
}

/** Of a list: as many as the API gives at once. */
export function numberOption(): Option {
  return new Option('-n, --number <number>', 'how many of the newest').default('20').argParser((text: string) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= 200) return text;
    throw new InvalidArgumentError('It is a number from 1 to 200.');
  });
}

export function connected(options: AskOptions): { api: ApiClient; url: string } {
  const connection = resolveConnection(options, cliEnvironment());
  return { api: apiClient(connection), url: connection.url };
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The same answer for a script or for a person. */
export function printAnswer(options: AskOptions, answer: unknown, render: () => string): void {
  print(options.json === true ? JSON.stringify(answer, null, 2) : render());
}
