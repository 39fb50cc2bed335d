/** `landfall token`: who may use the API, by a token of their own. */
import { Command, InvalidArgumentError } from 'commander';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { AccessTokenList, AccessTokenMade, type AccessTokenResource } from '../../core/contract/access-tokens.ts';
import { Name } from '../../core/spec/service.ts';
import { InputError } from '../../platform/errors/errors.ts';
import type { ApiClient } from '../client.ts';
import { age, renderTable } from '../table.ts';
import { asking, connected, printAnswer, type AskOptions } from './shared.ts';

async function listTokens(api: ApiClient): Promise<AccessTokenResource[]> {
  return (await api.call({ method: 'GET', path: '/api/v1/tokens', answer: AccessTokenList })).accessTokens;
}

async function add(name: string, options: AskOptions): Promise<void> {
  const { api, url } = connected(options);
  const made = await api.call({ method: 'POST', path: '/api/v1/tokens', body: { name }, answer: AccessTokenMade });
  printAnswer(
    options,
    made,
    () => `${made.token}\n\nIt is shown this once. Whoever has it sets:
  LANDFALL_URL=${url} LANDFALL_TOKEN=…`,
  );
}

async function list(options: AskOptions): Promise<void> {
  const tokens = await listTokens(connected(options).api);
  const now = new Date();
  printAnswer(options, tokens, () =>
    renderTable(
      ['name', 'made'],
      tokens.map(({ name, createdAt }) => [name, `${age(new Date(createdAt), now)} ago`]),
    ),
  );
}

async function revoke(name: string, options: AskOptions): Promise<void> {
  const { api } = connected(options);
  const tokens = await listTokens(api);
  const token = tokens.find((each) => each.name === name);
  if (token === undefined) {
    const known = tokens.map((each) => each.name).join(', ');
    throw new InputError('token_unknown', `There is no access token "${name}". In force are: ${known}.`, {
      path: 'NAME',
    });
  }
  await api.call({ method: 'DELETE', path: `/api/v1/tokens/${token.id}`, answer: Type.Object({}) });
  printAnswer(
    options,
    { revoked: token.name },
    () => `${token.name} is revoked: refused from now on, and signed out of the console.`,
  );
}

function tokenName(text: string): string {
  if (Check(Name, text)) return text;
  throw new InvalidArgumentError('A name has lower-case letters, digits and hyphens, at most 63, a letter first.');
}

export function tokenCommand(): Command {
  const token = new Command('token')
    .description('add, list and revoke access tokens of people and programs')
    .addHelpText(
      'after',
      `
The first token is LANDFALL_ACCESS_TOKEN of the server (docs/configuration.md), or what landfall up made.
What somebody does stands in the audit events under the name of their token.

Examples:
  landfall token add ada                        print a token for a person
  landfall token add ci --json | jq -r .token   the same for a program
  landfall token list
  landfall token revoke ada`,
    );
  asking(token.command('add').argument('<name>', 'lower-case letters, digits and hyphens', tokenName))
    .description('make a token and print it, once')
    .action(add);
  asking(token.command('list')).description('show the tokens in force').action(list);
  asking(token.command('revoke').argument('<name>', 'as landfall token list shows it'))
    .description('refuse a token from now on')
    .action(revoke);
  return token;
}
