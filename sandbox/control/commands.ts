/** Every command of the control API, and their shape for whoever calls them here or over HTTP. */
import type { Static } from 'typebox';
import type { World } from '../world.ts';
import { accountCommands } from './account-commands.ts';
import type { Command } from './command.ts';
import { repositoryCommands } from './repository-commands.ts';
import { switchCommands } from './switch-commands.ts';

export const commands = { ...repositoryCommands, ...accountCommands, ...switchCommands };

type Commands = typeof commands;
export type CommandName = keyof Commands;

/** Each command as a function of its input. */
export type Control = {
  readonly [Name in CommandName]: Commands[Name] extends Command<infer Input, infer Output>
    ? (input: Static<Input>) => Promise<Output>
    : never;
};

type AnyRun = (world: World, input: unknown) => unknown;

export function runCommand(world: World, name: CommandName, input: unknown): Promise<unknown> {
  return Promise.resolve((commands[name].run as AnyRun)(world, input));
}

/** The commands run on this world, in this process; inputs are checked by their types alone. */
export function controlOf(call: (name: CommandName, input: unknown) => Promise<unknown>): Control {
  const names = Object.keys(commands) as CommandName[];
  return Object.fromEntries(names.map((name) => [name, (input: unknown) => call(name, input)])) as unknown as Control;
}
