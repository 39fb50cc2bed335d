import { describe, expect, it } from 'vitest';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { chooseEnvironment } from './choose-environment.ts';

const project = (repository: string, ...names: string[]): ProjectResource => ({
  ...{ id: repository, repository, removed: false, directory: '' },
  environments: names.map((name) => ({
    ...{
      id: `${repository} ${name}`,
      name,
      kind: 'standing' as const,
      pullRequest: null,
      url: null,
      configured: true,
      services: [],
    },
  })),
});
const shop = project('acme/shop', 'production', 'staging');
const blog = project('acme/blog', 'production');

describe('chooseEnvironment', () => {
  it('asks for nothing when there is only one', () => {
    expect(chooseEnvironment([blog], {})).toEqual({
      ...{ id: 'acme/blog production', name: 'production', repository: 'acme/blog' },
    });
  });

  it.each([
    [{ environment: 'staging' }, 'acme/shop staging'],
    [{ repository: 'Acme/Blog' }, 'acme/blog production'],
    [{ environment: 'production', repository: 'acme/shop' }, 'acme/shop production'],
  ])('takes the only one that fits %j', (flags, id) => {
    expect(chooseEnvironment([shop, blog], flags).id).toBe(id);
  });

  it('names the flag that tells several apart, and lists them', () => {
    expect(() => chooseEnvironment([shop, blog], { environment: 'production' })).toThrow(
      'Several environments fit; choose with --repository:\n  --environment production --repository acme/shop\n  --environment production --repository acme/blog',
    );
    expect(() => chooseEnvironment([shop], {})).toThrow('choose with --environment');
  });

  it('P68: takes exact names only', () => {
    expect(() => chooseEnvironment([shop], { environment: 'prod' })).toThrow('No environment fits. There are:');
    expect(() => chooseEnvironment([shop], { repository: 'shop' })).toThrow('No environment fits');
  });

  it('says how environments come about', () => {
    expect(() => chooseEnvironment([], { environment: 'production' })).toThrow('The first push makes');
  });
});
