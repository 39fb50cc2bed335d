import { describe, expect, it } from 'vitest';
import type { EnvironmentResource } from '../../core/contract/resources/environments.ts';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import { renderAbandoned, renderEnding, renderEnvironments, renderRemoved } from './render.ts';

const service: EnvironmentResource['services'][number] = {
  ...{ id: 's', name: 'web', generation: 1, serving: null, rollout: null, leftOut: [] },
  replicas: { wanted: 2, healthy: 1 },
};
const environment = (name: string, change: Partial<EnvironmentResource> = {}): EnvironmentResource => ({
  ...{ id: name, name, kind: 'standing', pullRequest: null, url: null, configured: true, services: [service] },
  ...change,
});
const project = (change: Partial<ProjectResource> = {}): ProjectResource => ({
  ...{ id: 'p', repository: 'acme/shop', removed: false, directory: '' },
  environments: [
    environment('production', { url: 'https://acme.test' }),
    environment('staging', { configured: false }),
  ],
  ...change,
});
const shown = (change: Partial<EnvironmentResource> = {}) => ({
  project: project(),
  environment: environment('staging', change),
});

describe('landfall environment list', () => {
  it('shows what nothing asks for any more', () => {
    const old = project({ repository: 'acme/old', removed: true, environments: [environment('production')] });
    expect(renderEnvironments([project(), old]).split('\n')).toEqual([
      'REPOSITORY  ENVIRONMENT  HEALTHY  URL                NOTE',
      'acme/shop   production   web 1/2  https://acme.test',
      'acme/shop   staging      web 1/2  –                  no longer in landfall.yml',
      'acme/old    production   web 1/2  –                  its repository is gone, or out of the installation',
    ]);
  });

  it('says how environments come about', () => {
    expect(renderEnvironments([])).toContain('The first push makes');
  });
});

describe('landfall status', () => {
  it('says what runs on and how it is ended', () => {
    expect(renderAbandoned([project()])).toBe(
      '\n\nstaging of acme/shop runs on: no longer in landfall.yml. To end it: landfall environment remove staging --repository acme/shop',
    );
  });

  it('says of what never ran that it is left over', () => {
    const never = { ...service, replicas: { wanted: 0, healthy: 0 } };
    const environments = [environment('production', { services: [never] })];
    expect(renderAbandoned([project({ removed: true, environments })])).toContain(
      'acme/shop is left over: its repository',
    );
  });

  it('says nothing of what is asked for, or runs nothing', () => {
    const environments = [environment('production'), environment('staging', { configured: false, services: [] })];
    expect(renderAbandoned([project({ environments })])).toBe('');
  });
});

describe('landfall environment remove', () => {
  it('says beforehand what ends', () => {
    expect(renderEnding(shown({ configured: false }))).toBe(
      [
        'This ends staging of acme/shop:',
        '- its services stop: web (replicas: 2)',
        '- what is under way there is cancelled, and its deployments at GitHub become inactive',
        '- its secrets are deleted, and cannot be brought back',
      ].join('\n'),
    );
  });

  it('warns when the next push makes it anew', () => {
    expect(renderEnding(shown())).toContain('the next push of its branch makes it anew, without its secrets');
  });

  it('says afterwards what ended', () => {
    const answer = { name: 'staging', services: ['web'], secrets: 2 };
    expect(renderRemoved(shown(), answer)).toBe('staging of acme/shop is removed. Stopping: web. Secrets deleted: 2.');
    expect(renderRemoved(shown(), { ...answer, services: [], secrets: 0 })).toContain('It had no services.');
  });
});
