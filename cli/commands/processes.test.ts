import { expect, it } from 'vitest';
import { serverCommands } from './processes.ts';

function helpOf(name: string): string {
  const command = serverCommands().find((each) => each.name() === name);
  let text = '';
  command?.configureOutput({ writeOut: (part) => (text += part) });
  command?.outputHelp();
  return text;
}

it.each([
  ['server', ['GITHUB_APP_ID', 'REGISTRY_URL', 'LANDFALL_ACCESS_TOKEN'], []],
  ['bot', ['GITHUB_WEBHOOK_SECRET', 'DATABASE_URL'], ['LANDFALL_ACCESS_TOKEN']],
  ['worker', ['GITHUB_PRIVATE_KEY_FILE', 'REGISTRY_URL'], ['LANDFALL_ACCESS_TOKEN']],
  ['api', ['REGISTRY_URL', 'LANDFALL_ACCESS_TOKEN'], ['GITHUB_APP_ID', 'GITHUB_PRIVATE_KEY_FILE']],
])('%s asks for what it reads, and for nothing else', (name, named, others) => {
  const help = helpOf(name);
  for (const variable of named) expect(help).toContain(variable);
  for (const variable of others) expect(help).not.toContain(variable);
  expect(help).toContain('--json');
});
