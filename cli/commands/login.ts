/** `landfall login`: a link that signs in to the console. */
import { Command } from 'commander';
import Type from 'typebox';
import { asking, connected, printAnswer, type AskOptions } from './shared.ts';

const LoginLink = Type.Object({ url: Type.String(), expiresAt: Type.String() });

async function login(options: AskOptions): Promise<void> {
  const link = await connected(options).api.call({ method: 'POST', path: '/api/v1/login-links', answer: LoginLink });
  printAnswer(options, link, () => link.url);
}

export function loginCommand(): Command {
  return asking(new Command('login'))
    .description('print a link that signs in to the console, for a day')
    .addHelpText(
      'after',
      `
Whoever opens the link reads everything, and changes nothing, until your access token is revoked or a week is over.

Examples:
  landfall login
  xdg-open "$(landfall login)"`,
    )
    .action(login);
}
