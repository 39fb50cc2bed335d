/** Finds the service whose log is asked for among all there are. */
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { InputError } from '../../platform/errors/errors.ts';

export interface ServiceFlags {
  environment?: string;
  /** `owner/name` */
  repository?: string;
}

interface Candidate {
  id: string;
  name: string;
  environment: string;
  repository: string;
  /** Its repository is deleted, or taken out of the installation: another may have its name now. */
  removed: boolean;
}

/** The only service of that name that fits the flags. Throws InputError, which lists what there is to choose from. */
export function chooseService(projects: readonly ProjectResource[], name: string, flags: ServiceFlags): { id: string } {
  const all = projects.flatMap(({ repository, removed, environments }) =>
    environments.flatMap((environment) =>
      environment.services.map((service): Candidate => ({
        ...{ id: service.id, name: service.name },
        ...{ environment: environment.name, repository, removed },
      })),
    ),
  );
  const named = all.filter((candidate) => candidate.name === name && fits(candidate, flags));
  const present = named.filter(({ removed }) => !removed);
  const fitting = present.length === 0 ? named : present;
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  throw only === undefined ? unknown(all, name, flags) : ambiguous(fitting, name);
}

function fits(candidate: Candidate, { environment, repository }: ServiceFlags): boolean {
  return (
    (environment === undefined || candidate.environment === environment) &&
    (repository === undefined || candidate.repository.toLowerCase() === repository.toLowerCase())
  );
}

function unknown(all: readonly Candidate[], name: string, { environment, repository }: ServiceFlags): InputError {
  const where = [environment, repository].filter((part) => part !== undefined).join(' of ');
  const none = `There is no service "${name}"${where === '' ? '' : ` in ${where}`}.`;
  const rest = all.length === 0 ? 'There is none yet: the first push makes them.' : `There are:\n${listed(all)}`;
  return new InputError('service_unknown', `${none} ${rest}`, { path: 'SERVICE' });
}

function ambiguous(fitting: readonly Candidate[], name: string): InputError {
  const differing = [
    ...(distinct(fitting.map(({ environment }) => environment)) > 1 ? ['--environment'] : []),
    ...(distinct(fitting.map(({ repository }) => repository)) > 1 ? ['--repository'] : []),
  ];
  const choice = `choose one with ${differing.join(' and ')}`;
  return new InputError(
    'service_ambiguous',
    `"${name}" is the name of several services; ${choice}:\n${listed(fitting)}`,
    { path: 'SERVICE' },
  );
}

const distinct = (names: readonly string[]): number => new Set(names).size;

function listed(candidates: readonly Candidate[]): string {
  return candidates
    .map(({ name, environment, repository }) => `  ${name} --environment ${environment} --repository ${repository}`)
    .join('\n');
}
