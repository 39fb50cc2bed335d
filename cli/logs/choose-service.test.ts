import { expect, it } from 'vitest';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { chooseService } from './choose-service.ts';

function project(repository: string, environments: string[]): ProjectResource {
  const service = {
    ...{ name: 'web', generation: 1, serving: null, rollout: null, leftOut: [] },
    replicas: { wanted: 1, healthy: 1 },
  };
  return {
    ...{ id: repository, repository, removed: false, directory: '' },
    environments: environments.map((name) => ({
      ...{ id: name, name, kind: 'standing', configured: true, pullRequest: null, url: null },
      services: [{ ...service, id: `${repository} ${name}` }],
    })),
  };
}

const projects = [project('acme/shop', ['production', 'staging']), project('acme/blog', ['production'])];

it('finds the service by the repository where its name and environment are those of another, in any letter case', () => {
  const flags = { environment: 'production', repository: 'Acme/Shop' };
  expect(chooseService(projects, 'web', flags).id).toBe('acme/shop production');
  expect(chooseService(projects, 'web', { repository: 'acme/blog' }).id).toBe('acme/blog production');
  expect(chooseService(projects, 'web', { environment: 'staging' }).id).toBe('acme/shop staging');
});

it('names the options that tell the services apart, and lists them as they are written', () => {
  expect(() => chooseService(projects, 'web', {})).toThrow('choose one with --environment and --repository:');
  expect(() => chooseService(projects, 'web', { environment: 'production' })).toThrow(
    'choose one with --repository:\n' +
      '  web --environment production --repository acme/shop\n' +
      '  web --environment production --repository acme/blog',
  );
  expect(() => chooseService(projects, 'web', { repository: 'acme/shop' })).toThrow('choose one with --environment:');
});

it('takes the repository that is there before a removed one of the same name', () => {
  const old = { ...project('acme/blog', ['production']), removed: true };
  old.environments[0]!.services[0]!.id = 'old';
  expect(chooseService([old, ...projects], 'web', { repository: 'acme/blog' }).id).toBe('acme/blog production');
  expect(chooseService([old], 'web', {}).id).toBe('old');
});

it('says what there is when none fits', () => {
  expect(() => chooseService(projects, 'api', {})).toThrow('There is no service "api". There are:\n  web');
  expect(() => chooseService(projects, 'web', { repository: 'acme/other', environment: 'production' })).toThrow(
    'There is no service "web" in production of acme/other.',
  );
  expect(() => chooseService([], 'web', {})).toThrow('There is none yet');
});
