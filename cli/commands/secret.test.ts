import { describe, expect, it } from 'vitest';
import type { SecretList } from '../../core/contract/resources/secrets.ts';
import { renderSecrets } from './secret.ts';

const now = new Date('2030-01-01T00:00:00Z');
const production = { name: 'production', repository: 'acme/shop' };
const secret: SecretList['secrets'][number] = {
  ...{ name: 'TOKEN', service: null, version: 2, setBy: 'ada', setAt: '2029-12-31T22:00:00Z' },
  usedBy: [
    { service: 'web', version: 2 },
    { service: 'worker', version: 1 },
  ],
};

describe('landfall secret list', () => {
  it('shows who uses which version', () => {
    expect(renderSecrets({ secrets: [secret], missing: [] }, production, now)).toBe(
      [
        'NAME   SERVICE  VERSION  SET     BY   USED BY',
        'TOKEN  all      2        2h ago  ada  web, worker (version 1)',
      ].join('\n'),
    );
  });

  it('says what is missing, and how it is set', () => {
    const missing = [{ service: 'web', name: 'DATABASE_PASSWORD' }];
    expect(renderSecrets({ secrets: [], missing }, { ...production, name: 'staging' }, now)).toBe(
      'staging has no secrets.\nweb needs DATABASE_PASSWORD, which is not set: landfall secret set DATABASE_PASSWORD --environment staging --repository acme/shop',
    );
  });
});
