/** One command of the control API: a name, the JSON it takes, and what it does. */
import type { Static, TSchema } from 'typebox';
import Type from 'typebox';
import type { Repository, User } from '../state/model.ts';
import { findUser, type World } from '../world.ts';
import { ImpossibleRequest } from '../actions/users.ts';

export interface Command<Input extends TSchema, Output> {
  readonly input: Input;
  readonly run: (world: World, input: Static<Input>) => Output | Promise<Output>;
}

export function command<Input extends TSchema, Output>(
  input: Input,
  run: Command<Input, Output>['run'],
): Command<Input, Output> {
  return { input, run };
}

export function object<T extends Type.TProperties>(properties: T): Type.TObject<T> {
  return Type.Object(properties, { additionalProperties: false });
}

export const repositoryId = Type.Integer();
export const text = Type.String({ minLength: 1 });
export const files = Type.Record(Type.String(), Type.String());

export function requireRepository(world: World, id: number): Repository {
  const repository = world.tables.repositories.find(id);
  if (repository === undefined) throw new ImpossibleRequest(`The sandbox has no repository with id ${id}.`);
  return repository;
}

export function requireUser(world: World, login: string): User {
  const user = findUser(world, login);
  if (user === undefined) throw new ImpossibleRequest(`The sandbox has no account ${login}.`);
  return user;
}
