/** Turns one way of calling commands into a function for each of them. */
import type { Control } from './commands.ts';
import { commandNames, type CommandName } from './names.ts';

export function controlOf(call: (name: CommandName, input: unknown) => Promise<unknown>): Control {
  const functions: unknown = Object.fromEntries(
    commandNames.map((name) => [name, (input: unknown) => call(name, input)]),
  );
  return functions as Control;
}
