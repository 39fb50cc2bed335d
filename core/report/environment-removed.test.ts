import Value from 'typebox/value';
import { expect, it } from 'vitest';
import { environmentRemovedWrites } from './environment-removed.ts';
import { CreateDeploymentStatus } from './writes.ts';

it('P37: sets the deployments of a removed environment inactive, each once', () => {
  const deployments = ['i1', 'i2'].map((intentId) => ({ intentId, consoleUrl: `http://console/${intentId}` }));
  const writes = environmentRemovedWrites({ repositoryId: 42, name: 'staging', deployments });
  expect(writes.every(({ payload }) => Value.Check(CreateDeploymentStatus, payload))).toBe(true);
  expect(writes).toMatchObject([
    {
      key: 'intent:i1:status:inactive',
      payload: { intentId: 'i1', body: { state: 'inactive', environment: 'staging', log_url: 'http://console/i1' } },
    },
    { key: 'intent:i2:status:inactive' },
  ]);
});
