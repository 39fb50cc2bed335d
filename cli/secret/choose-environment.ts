/** Finds the environment that a command is about among all there are. */
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { InputError } from '../../platform/errors/errors.ts';

export interface EnvironmentFlags {
  environment?: string;
  /** `owner/name` */
  repository?: string;
}

export interface ChosenEnvironment {
  id: string;
  name: string;
  repository: string;
}

/** The only one that fits the flags. Throws InputError, which lists what there is to choose from. */
export function chooseEnvironment(projects: readonly ProjectResource[], flags: EnvironmentFlags): ChosenEnvironment {
  const all = projects.flatMap(({ repository, environments }) =>
    environments.map(({ id, name }): ChosenEnvironment => ({ id, name, repository })),
  );
  const fitting = all.filter(
    ({ name, repository }) =>
      (flags.environment === undefined || name === flags.environment) &&
      (flags.repository === undefined || repository.toLowerCase() === flags.repository.toLowerCase()),
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  if (all.length === 0)
    throw new InputError(
      'environment_unknown',
      'There is no environment yet. The first push makes those it deploys to.',
    );
  if (only === undefined)
    throw new InputError('environment_unknown', `No environment fits. There are:\n${listed(all)}`);
  const missing = new Set(fitting.map(({ repository }) => repository)).size > 1 ? '--repository' : '--environment';
  throw new InputError(
    'environment_ambiguous',
    `Several environments fit; choose with ${missing}:\n${listed(fitting)}`,
  );
}

function listed(environments: readonly ChosenEnvironment[]): string {
  return environments.map(({ name, repository }) => `  --environment ${name} --repository ${repository}`).join('\n');
}
