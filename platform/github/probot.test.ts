import pino from 'pino';
import { expect, it } from 'vitest';
import { createProbot } from './probot.ts';

it('P42: Probot is not made without a webhook secret', () => {
  const config = {
    appId: 1,
    privateKey: 'a key',
    webhookSecret: '',
    apiUrl: 'http://github.test',
    url: 'http://github.test',
  };
  expect(() => createProbot(config, pino({ level: 'silent' }))).toThrow(/no webhook secret/);
});
