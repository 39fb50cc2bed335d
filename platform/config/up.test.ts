import { describe, expect, it } from 'vitest';
import { partVariables, upEnvironment } from './up.ts';

describe('upEnvironment', () => {
  it.each([
    [{}, { github: 'sandbox', queueUrl: null }],
    [
      { GITHUB_APP_ID: '', QUEUE_URL: '' },
      { github: 'sandbox', queueUrl: null },
    ],
    [
      { GITHUB_APP_ID: '12', QUEUE_URL: 'redis://127.0.0.1' },
      { github: 'configured', queueUrl: 'redis://127.0.0.1' },
    ],
  ])('%j', (variables, environment) => {
    expect(upEnvironment(variables)).toEqual(environment);
  });
});

describe('partVariables', () => {
  const ordinary = {
    PATH: '/opt/bin',
    HOME: '/home/ada',
    TMPDIR: '/var/tmp',
    LOG_LEVEL: 'debug',
    HTTPS_PROXY: 'http://proxy',
  };
  const trusted = [
    ...['GITHUB_APP_ID', 'GITHUB_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET', 'GITHUB_TOKEN', 'DATABASE_URL', 'QUEUE_URL'],
    ...['LANDFALL_PASSPHRASE', 'LANDFALL_MASTER_KEY_FILE', 'LANDFALL_MASTER_KEY_COMMAND', 'LANDFALL_ACCESS_TOKEN'],
    ...['REGISTRY_PASSWORD', 'NPM_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'SSH_AUTH_SOCK', 'NODE_OPTIONS'],
  ];

  it('keeps what programs need to run, and nothing that the server alone is trusted with', () => {
    const variables = partVariables({ ...ordinary, ...Object.fromEntries(trusted.map((name) => [name, 'canary'])) });
    expect(variables).toMatchObject({ ...ordinary, PATH: expect.stringMatching(/^\/opt\/bin:/) });
    expect(Object.keys(variables).sort()).toEqual(Object.keys(ordinary).sort());
  });
});
