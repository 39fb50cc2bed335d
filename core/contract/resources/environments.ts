/** Environments of a project, and the removal of one. */
import Type, { type Static } from 'typebox';
import { orNull } from './schema.ts';
import { ServiceResource } from './services.ts';

export const EnvironmentResource = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: Type.Union([Type.Literal('standing'), Type.Literal('preview')]),
  pullRequest: orNull(Type.Integer()),
  url: orNull(Type.String()),
  /** False: the newest landfall.yml on the default branch does not name it. What runs there runs on until it is removed. */
  configured: Type.Boolean(),
  services: Type.Array(ServiceResource),
});
export type EnvironmentResource = Static<typeof EnvironmentResource>;

export const EnvironmentRemoved = Type.Object({
  name: Type.String(),
  /** Names of the services that stop. */
  services: Type.Array(Type.String()),
  /** How many were deleted. */
  secrets: Type.Integer(),
});
export type EnvironmentRemoved = Static<typeof EnvironmentRemoved>;
