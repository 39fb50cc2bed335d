import { describe, expect, it } from 'vitest';
import { StalledError } from '../errors/errors.ts';
import { loadConfig } from './config.ts';

const complete = {
  GITHUB_APP_ID: '12',
  GITHUB_PRIVATE_KEY: '-----BEGIN KEY-----\\ncanary-key\\n-----END KEY-----',
  GITHUB_WEBHOOK_SECRET: 'canary-webhook',
  REGISTRY_URL: 'https://registry.example.com/team/',
  REGISTRY_USERNAME: 'landfall',
  REGISTRY_PASSWORD: 'canary-password',
};

function refusal(variables: Record<string, string | undefined>): StalledError {
  try {
    loadConfig(variables);
  } catch (error) {
    if (error instanceof StalledError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('loadConfig', () => {
  it('fills in what has a sensible default', () => {
    const config = loadConfig(complete);
    expect(config).toMatchObject({
      databaseUrl: null,
      queueUrl: null,
      publicUrl: 'http://127.0.0.1:7780',
      listen: { host: '127.0.0.1', port: 7780 },
      githubUrl: 'https://github.com',
      containerLinks: false,
      github: { appId: 12, apiUrl: 'https://api.github.com' },
      registry: { host: 'registry.example.com', path: 'team', insecure: false },
      masterKeys: [{ kind: 'file' }],
      logLevel: 'info',
    });
    expect(config.github?.privateKey.split('\n')).toHaveLength(3);
  });

  it.each(['GITHUB_APP_ID', 'GITHUB_PRIVATE_KEY', 'REGISTRY_URL'])('asks for %s', (name) => {
    const error = refusal({ ...complete, [name]: undefined });
    expect(error.message).toBe(`${name} is not set.`);
    expect(error.hint).toMatch(/\.$/);
  });

  it('reads no GitHub key for a process that is not to hold it', () => {
    expect(loadConfig(complete, { githubKey: false }).github).toBeNull();
  });

  it.each([undefined, ''])('P42: refuses to start without a webhook secret (%j)', (secret) => {
    expect(refusal({ ...complete, GITHUB_WEBHOOK_SECRET: secret }).message).toBe('GITHUB_WEBHOOK_SECRET is not set.');
  });

  it.each([
    ['LANDFALL_PORT', 'eighty'],
    ['LANDFALL_PORT', '70000'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['QUEUE_URL', 'nonsense'],
    ['CONTAINER_POOL', '10.200.0.1/16'],
    ['LOG_LEVEL', 'loud'],
    ['LANDFALL_CONTAINER_LINKS', 'yes'],
    ['LANDFALL_ACCESS_TOKEN', 'two words that are long enough'],
    ['LANDFALL_ACCESS_TOKEN', 'short'],
    ['LANDFALL_ACCESS_TOKEN', 'schlüssel'],
    ['GITHUB_PRIVATE_KEY_FILE', '/nowhere/key.pem'],
    ['REGISTRY_PASSWORD', ''],
    ['BUILD_MEMORY_BYTES', '1'],
  ])('names %s when it is %j, and what to do', (name, value) => {
    const error = refusal({ ...complete, [name]: value });
    expect(error.message).toMatch(/^[A-Z_]+ .*\.$/);
    expect(error.hint).toMatch(/\.$/);
  });

  it('takes every master key that is named, the one to encrypt with first', () => {
    const keys = (variables: Record<string, string>) => loadConfig({ ...complete, ...variables }).masterKeys;
    const passphrase = { LANDFALL_PASSPHRASE: 'correct horse battery' };
    expect(keys(passphrase).map(({ kind }) => kind)).toEqual(['passphrase']);
    expect(keys({ ...passphrase, LANDFALL_MASTER_KEY_FILE: '/etc/landfall.key' }).map(({ kind }) => kind)).toEqual([
      'file',
      'passphrase',
    ]);
    expect(keys({ LANDFALL_MASTER_KEY_COMMAND: '/opt/key', LANDFALL_MASTER_KEY_FILE: '/etc/landfall.key' })).toEqual([
      { kind: 'command', program: '/opt/key' },
      { kind: 'file', path: '/etc/landfall.key' },
    ]);
  });

  it('says no secret in any refusal', () => {
    const errors = ['DATABASE_URL', 'QUEUE_URL', 'LOG_LEVEL', 'LANDFALL_PORT'].map((name) =>
      refusal({ ...complete, [name]: name.endsWith('URL') ? 'x://u:canary-url@h' : 'x' }),
    );
    for (const error of errors) expect(`${error.message} ${error.hint ?? ''}`).not.toContain('canary');
  });
});
