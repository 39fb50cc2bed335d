import { expect, it } from 'vitest';
import type { MasterKeyResource } from '../../core/contract/master-keys.ts';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import type { ApiClient } from '../client.ts';
import { readStatus, renderLeftOut, renderMasterKeys, renderServices } from './status.ts';

const key = (state: MasterKeyResource['state'], secrets: number): MasterKeyResource => ({ id: 'x', state, secrets });

it.each([
  ['nothing of one key', [key('current', 3)], /^$/],
  ['that an older key is needed', [key('current', 3), key('older', 1)], /Keep the older master keys: .* 1 secret/],
  ['that older keys can be dropped', [key('current', 3), key('older', 0)], /can be dropped/],
  ['that a key is missing', [key('current', 3), key('older', 0), key('missing', 2)], /2 secrets: .* missing/],
])('says %s', (_what, keys, sentence) => {
  expect(renderMasterKeys(keys)).toMatch(sentence);
});

it('says why a rollout stands still or has failed, and nothing of one that serves', () => {
  const rollout = { id: 'x', reason: 'No node has room for replica 0.', finishedAt: null };
  const service = { id: 'x', generation: 2, serving: null, replicas: { wanted: 1, healthy: 0 }, leftOut: [] };
  const services = [
    { ...service, name: 'web', rollout: { ...rollout, stage: 'pending' as const } },
    { ...service, name: 'api', rollout: { ...rollout, stage: 'running' as const } },
  ];
  const kind = 'standing' as const;
  const shown = { configured: true, pullRequest: null, url: null };
  const environments = [{ id: 'x', name: 'production', kind, ...shown, services }];
  const projects: ProjectResource[] = [
    { id: 'x', repository: 'acme/shop', removed: false, directory: '', environments },
  ];
  const [, web, api] = renderServices(projects).split('\n');
  expect(web).toMatch(/web +– +0\/1 +pending +No node has room for replica 0\.$/);
  expect(api).toMatch(/api +– +0\/1 +running$/);
});

it('says what nodes are not told of and what to do about it, also of what serves, and nothing when there is none', () => {
  const leftOut = {
    ...{ allocationId: 'a', serviceId: 's', serviceName: 'web', replica: 1, nodeId: 'n', nodeName: 'web-1' },
    ...{ code: 'secret_missing', message: 'its secrets are missing: TOKEN.', todo: 'Set it.' },
  };
  const service = { id: 's', name: 'web', generation: 1, serving: null, rollout: null };
  const project = (given: (typeof leftOut)[]): ProjectResource => ({
    ...{ id: 'p', repository: 'acme/shop', removed: false, directory: '' },
    environments: [
      {
        ...{ id: 'e', name: 'production', kind: 'standing', pullRequest: null, url: null, configured: true },
        services: [{ ...service, replicas: { wanted: 2, healthy: 2 }, leftOut: given }],
      },
    ],
  });
  expect(renderLeftOut([project([])])).toBe('');
  expect(renderLeftOut([project([leftOut])])).toMatch(
    /^\n\nLeft out .*left running:\n.*\nacme\/shop +production +web +1 +web-1 +its secrets are missing: TOKEN\. Set it\.$/s,
  );
});

it('answers a script with the builds, whose ids landfall logs takes', async () => {
  const answers: Record<string, unknown> = {
    '/api/v1/projects': { projects: [] },
    '/api/v1/intents?limit=10': { intents: [] },
    '/api/v1/master-keys': { masterKeys: [] },
    '/api/v1/builds?limit=50': { builds: [{ id: 'b' }] },
  };
  const call = ({ path }: { path: string }): Promise<unknown> => Promise.resolve(answers[path]);
  const api = { call: call as ApiClient['call'] };
  expect(await readStatus(api)).toEqual({ projects: [], intents: [], builds: [{ id: 'b' }], masterKeys: [] });
});
