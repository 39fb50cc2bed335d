/** Projects: `/api/v1/projects`. */
import Type, { type Static } from 'typebox';
import { EnvironmentResource } from './environments.ts';

export const ProjectResource = Type.Object({
  id: Type.String(),
  /** `owner/name`, as GitHub calls it now. */
  repository: Type.String(),
  /** The repository was deleted at GitHub or taken out of the installation; what runs runs on until its environment is removed. */
  removed: Type.Boolean(),
  directory: Type.String(),
  environments: Type.Array(EnvironmentResource),
});
export type ProjectResource = Static<typeof ProjectResource>;
