import { describe, expect, it } from 'vitest';
import { upEnvironment } from './up.ts';

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
