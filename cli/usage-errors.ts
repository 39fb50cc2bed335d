/** What commander says of a command line that is none: in words for a person, as an object for a script that asked for JSON. */
import type { Command } from 'commander';

function withChildren(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withChildren)];
}

/** Commander's settings are not inherited by commands that were made elsewhere and added. */
export function tellUsageErrors(program: Command, asJson: boolean): void {
  for (const command of withChildren(program)) {
    command.showSuggestionAfterError();
    if (asJson)
      command.configureOutput({ outputError: (text, write) => write(`${JSON.stringify(usageError(text))}\n`) });
    else command.showHelpAfterError('(landfall --help shows the commands)');
  }
}

function usageError(text: string): { error: { code: 'usage'; message: string; hint: string } } {
  const message = text.trim().replace(/^error: /, '');
  return { error: { code: 'usage', message, hint: 'landfall --help shows the commands.' } };
}
