/** Every command of the control API, and their shape for whoever calls them here or over HTTP. */
import type { Static } from 'typebox';
import type { World } from '../world.ts';
import { accountCommands } from './account-commands.ts';
import type { Command } from './command.ts';
import type { CommandName } from './names.ts';
import { repositoryCommands } from './repository-commands.ts';
import { switchCommands } from './switch-commands.ts';

export const commands = { ...repositoryCommands, ...accountCommands, ...switchCommands };

type Commands = typeof commands;

/** Each command as a function of its input. */
export type Control = {
  readonly [Name in CommandName]: Commands[Name] extends Command<infer Input, infer Output>
    ? (input: Static<Input>) => Promise<Output>
    : never;
};

type AnyRun = (world: World, input: unknown) => unknown;

/** The input is what the command's schema says; over HTTP it was validated. */
export function runCommand(world: World, name: CommandName, input: unknown): Promise<unknown> {
  return Promise.resolve().then(() => (commands[name].run as AnyRun)(world, input));
}
