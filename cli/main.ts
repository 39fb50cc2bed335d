/** The `landfall` command. */
import { Command, CommanderError } from 'commander';
import { InputError, StalledError } from '../platform/errors/errors.ts';
import { askedVersion } from './bootstrap/version.mjs';
import { RefusedError, UnreachableError } from './client.ts';
import { buildCommand } from './commands/build.ts';
import { deliveriesCommand } from './commands/deliveries.ts';
import { environmentCommand } from './commands/environment.ts';
import { loginCommand } from './commands/login.ts';
import { logsCommand } from './commands/logs.ts';
import { nodeCommand } from './commands/node.ts';
import { agentCommand, serverCommands } from './commands/processes.ts';
import { secretCommand } from './commands/secret.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { NoConnectionError } from './connection.ts';
import { packageRoot } from './root.ts';
import { toolsCommand } from './tools/command.ts';
import { ChildFailed } from './up/child.ts';
import { upCommand } from './up/command.ts';
import { tellUsageErrors } from './usage-errors.ts';

function program(asJson: boolean): Command {
  const landfall = new Command('landfall')
    .description('Deploys from the pull request to your own servers.')
    .version(askedVersion(['--version'], packageRoot()) ?? 'unknown')
    .addHelpText(
      'after',
      `
First steps:
  landfall up                 the whole line on this machine, with a GitHub that runs here
  landfall node add NAME      add a server
  landfall secret set NAME    set what a service needs and nobody may read
  landfall status             what serves where
  landfall deliveries         why a push was not deployed`,
    );
  for (const command of [upCommand(), statusCommand(), deliveriesCommand(), buildCommand(), logsCommand()])
    landfall.addCommand(command);
  for (const command of [environmentCommand(), secretCommand(), nodeCommand(), tokenCommand(), loginCommand()])
    landfall.addCommand(command);
  for (const command of [...serverCommands(), agentCommand(), toolsCommand()]) landfall.addCommand(command);
  tellUsageErrors(landfall, asJson);
  return landfall;
}

/** What a person is told: what happened, and what to do. Anything else is a fault of ours and keeps its stack. */
function explain(error: unknown): { code: string; message: string; hint: string | null } | null {
  if (error instanceof RefusedError || error instanceof StalledError) return error;
  if (error instanceof InputError) return { code: error.code, message: error.message, hint: null };
  if (error instanceof UnreachableError) return { code: 'unreachable', message: error.message, hint: null };
  if (error instanceof NoConnectionError) return { code: 'not_connected', message: error.message, hint: null };
  if (error instanceof ChildFailed) return { code: 'part_failed', message: error.message, hint: null };
  return null;
}

async function main(argv: string[]): Promise<void> {
  const asJson = argv.includes('--json');
  try {
    await program(asJson).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode);
    const explained = explain(error);
    if (explained === null) {
      // Whatever was started by then would keep the process, which nobody could end any more.
      console.error(error);
      process.exit(1);
    }
    const { code, message, hint } = explained;
    if (asJson) console.error(JSON.stringify({ error: { code, message, hint } }));
    else console.error(hint === null ? message : `${message}\n${hint}`);
    process.exit(1);
  }
}

await main(process.argv);
