import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import { defaultProjectConfig } from './defaults.ts';
import { parseProjectConfig } from './parse.ts';
import { resolveServices } from './resolve.ts';
import { BuildSpec, ServiceSpec } from './service.ts';

function config(text: string) {
  const parsed = parseProjectConfig(text, 'landfall.yml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.config;
}

const rules = config(`
services:
  web: { port: 80, replicas: 2, resources: { cpu: 1, memory: 128Mi }, env: { FROM: rules } }
environments:
  production: { branch: main, env: { LEVEL: warn } }
  staging: { branch: next, env: { LEVEL: debug }, services: { web: { replicas: 1, env: { MODE: stage }, resources: { memory: 64Mi } } } }
`);

describe('resolveServices', () => {
  it('P46: takes shape from the commit, and environments and limits from the default branch', () => {
    const shape = config(`
services:
  web: { build: app, port: 3000, replicas: 50, resources: { cpu: 64, memory: 1Ti }, health: { path: /up }, command: run, env: { FROM: commit, LEVEL: loud }, secrets: [TOKEN] }
environments:
  production: { branch: evil, env: { LEVEL: trace }, services: { web: { replicas: 90 } } }
  mine: { branch: evil }
`);
    const { web } = resolveServices({ shape, rules, environment: 'production' });
    expect(web?.build.context).toBe('app');
    expect(web?.service).toMatchObject({
      port: 3000,
      command: ['run'],
      secrets: ['TOKEN'],
      health: { kind: 'http', path: '/up' },
      env: { PORT: '3000', FROM: 'commit', LEVEL: 'warn' },
      replicas: 2,
      resources: { cpuMillis: 1_000, memoryBytes: 128 * 2 ** 20, pids: 512 },
    });
    expect(resolveServices({ shape, rules, environment: 'mine' })).toEqual({});
  });

  it('P46: runs a service that the default branch does not know once, within the defaults', () => {
    const shape = config('services: { new: { port: 1, replicas: 9, resources: { cpu: 9, memory: 9Gi, pids: 9 } } }');
    expect(resolveServices({ shape, rules, environment: 'production' })['new']?.service).toMatchObject({
      replicas: 1,
      resources: { cpuMillis: 500, memoryBytes: 256 * 2 ** 20, pids: 9 },
    });
  });

  describe('P46: what of a commit was not taken', () => {
    const notTaken = (shape: string, environment = 'staging', by = rules) => {
      const resolved = resolveServices({ shape: config(shape), rules: by, environment });
      return Object.fromEntries(Object.entries(resolved).map(([name, service]) => [name, service.notTaken]));
    };

    it('is nothing of the default branch itself, in any environment', () => {
      for (const environment of ['production', 'staging'])
        expect(resolveServices({ shape: rules, rules, environment })['web']).not.toHaveProperty('notTaken');
    });

    it('is what a service would have by the commit alone', () => {
      const shape = 'services: { web: { replicas: 2, resources: { cpu: 2, memory: 1Gi } }, jobs: { replicas: 2 } }';
      expect(notTaken(shape, 'production')).toEqual({
        web: { cpuMillis: 2_000, memoryBytes: 2 ** 30 },
        jobs: { replicas: 2 },
      });
    });

    it('is what an environment would say of it, and nothing where that of the default branch has the last word anyway', () => {
      const web = 'web: { port: 80, replicas: 9, resources: { cpu: 1, memory: 9Gi } }';
      expect(notTaken(`services: { ${web} }`)).toEqual({ web: undefined });
      const staging = 'staging: { branch: next, services: { web: { replicas: 3, resources: { memory: 64Mi } } } }';
      expect(notTaken(`{ services: { ${web} }, environments: { ${staging} } }`)).toEqual({ web: { replicas: 3 } });
    });
  });

  it('lets the environment have the last word', () => {
    const { web } = resolveServices({ shape: rules, rules, environment: 'staging' });
    expect(web?.service).toMatchObject({
      replicas: 1,
      env: { PORT: '80', FROM: 'rules', LEVEL: 'debug', MODE: 'stage' },
      resources: { cpuMillis: 1_000, memoryBytes: 64 * 2 ** 20 },
    });
  });

  it('leaves a PORT that is given alone', () => {
    const shape = config('services: { web: { port: 80, env: { PORT: 81 } } }');
    expect(resolveServices({ shape, rules, environment: 'production' })['web']?.service.env['PORT']).toBe('81');
  });

  it('asks the Dockerfile for a port that is not given, and takes 8080 when that names none', () => {
    const shape = config('services: { web: {}, silent: {}, lost: {}, told: { health: { command: ok } } }');
    const dockerfiles = { web: 'FROM a\nEXPOSE 5000', silent: 'FROM a', told: 'FROM a' };
    const resolved = resolveServices({ shape, rules, environment: 'production', dockerfiles });
    const seen = Object.values(resolved).map(({ service: { name, port, health, env } }) => [
      ...[name, port, health.kind, env['PORT']],
    ]);
    expect(seen).toEqual([
      ['lost', 8080, 'tcp', '8080'],
      ['silent', 8080, 'tcp', '8080'],
      ['told', 8080, 'command', '8080'],
      ['web', 5000, 'tcp', '5000'],
    ]);
  });

  it('serves the same with a landfall.yml that says nothing as without one', () => {
    const alone = defaultProjectConfig({ dockerfile: 'FROM a', defaultBranch: 'main' });
    const said = config('services: { web: {} }');
    const [one, other] = [alone, said].map((each) =>
      resolveServices({ shape: each, rules: each, environment: 'production', dockerfiles: { web: 'FROM a' } }),
    );
    expect(one).toEqual(other);
  });

  it('gives no port to what says that it has none', () => {
    const shape = config('services: { worker: { port: none } }');
    const { worker } = resolveServices({ shape, rules, environment: 'production', dockerfiles: {} });
    expect([worker?.service.port, worker?.service.health.kind, worker?.service.env['PORT']]).toEqual([
      null,
      'running',
      undefined,
    ]);
  });

  it('serves a lone Dockerfile as web, from the default branch to production', () => {
    const alone = defaultProjectConfig({ dockerfile: 'FROM a', defaultBranch: 'trunk' });
    expect(alone.environments['production']?.branch).toBe('trunk');
    const { web } = resolveServices({ shape: alone, rules: alone, environment: 'production' });
    expect([web?.service.port, web?.service.env['PORT'], web?.service.health.kind]).toEqual([8080, '8080', 'tcp']);
    expect(Value.Check(ServiceSpec, web?.service)).toBe(true);
    expect(Value.Check(BuildSpec, web?.build)).toBe(true);
  });

  it('P17: does not depend on the order of services', () => {
    const [a, b] = ['a: {port: 1}', 'b: {port: 2}'];
    const resolved = [`{${a}, ${b}}`, `{${b}, ${a}}`].map((services) =>
      resolveServices({ shape: config(`services: ${services}`), rules, environment: 'production' }),
    );
    expect(JSON.stringify(resolved[0])).toBe(JSON.stringify(resolved[1]));
  });
});
