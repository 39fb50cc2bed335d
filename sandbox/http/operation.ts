/** One REST operation: GitHub's id for it, who may call it, and what it does. Types come from GitHub's description. */
import type { operations } from '@octokit/openapi-types';
import type { Repository } from '../state/model.ts';
import type { World } from '../world.ts';
import type { Need } from './access.ts';
import type { Actor, InstallationActor, UserActor } from './credentials.ts';

export type OperationId = keyof operations;
type Parameters<Id extends OperationId> = operations[Id] extends { parameters: infer All } ? All : never;
type PathOf<Id extends OperationId> = Parameters<Id> extends { path: infer Path } ? Path : Record<string, never>;
type QueryOf<Id extends OperationId> = Parameters<Id> extends { query?: infer Query } ? NonNullable<Query> : object;
type JsonContent<Body> = { content: { 'application/json': Body } };
type BodyOf<Id extends OperationId> = operations[Id] extends { requestBody: JsonContent<infer Body> }
  ? Body
  : operations[Id] extends { requestBody?: JsonContent<infer Body> }
    ? Body | undefined
    : undefined;

export interface Answer {
  readonly status: number;
  /** JSON when it is not text or bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A validated request. */
export interface Call<Id extends OperationId> {
  readonly world: World;
  readonly params: PathOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  /** The `accept` header, lower case. */
  readonly accept: string;
  /** The request's own address, for pagination links. */
  readonly url: URL;
  readonly actor: Actor;
}

export interface InstallationCall<Id extends OperationId> extends Call<Id> {
  readonly actor: InstallationActor;
}

export interface RepositoryCall<Id extends OperationId> extends Call<Id> {
  readonly repository: Repository;
  readonly actor: InstallationActor | UserActor;
}

type Handler<C> = (call: C) => Answer | Promise<Answer>;

/** With the types of its own request forgotten: the dispatcher validates it against the description before it calls. */
export type Operation = { readonly id: OperationId } & (
  | { readonly access: 'app' | 'account'; readonly handle: Handler<Call<never>> }
  | { readonly access: 'installation'; readonly handle: Handler<InstallationCall<never>> }
  | { readonly access: 'repository'; readonly needs: readonly Need[]; readonly handle: Handler<RepositoryCall<never>> }
);

/** Called with the App's JWT. */
export function appOperation<Id extends OperationId>(id: Id, handle: Handler<Call<Id>>): Operation {
  return { id, access: 'app', handle: handle };
}

/** Called by anybody who signed in. */
export function accountOperation<Id extends OperationId>(id: Id, handle: Handler<Call<Id>>): Operation {
  return { id, access: 'account', handle: handle };
}

/** Called with an installation token, about the installation itself. */
export function installationOperation<Id extends OperationId>(
  id: Id,
  handle: Handler<InstallationCall<Id>>,
): Operation {
  return { id, access: 'installation', handle: handle };
}

/** Called by an installation or a user, about one repository. */
export function repositoryOperation<Id extends OperationId>(
  id: Id,
  needs: Need | readonly Need[],
  handle: Handler<RepositoryCall<Id>>,
): Operation {
  return {
    id,
    access: 'repository',
    needs: 'permission' in needs ? [needs] : needs,
    handle: handle,
  };
}

export function reading(permission: Need['permission']): Need {
  return { permission, level: 'read' };
}

export function writing(permission: Need['permission']): Need {
  return { permission, level: 'write' };
}
