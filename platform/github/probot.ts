/** Probot as the dispatcher of events: it reaches GitHub for nobody, handlers take the Octokit of their installation. */
import { Probot } from 'probot';
import type { Logger } from 'pino';
import type { GithubConfig } from '../config/config.ts';
import { StalledError } from '../errors/errors.ts';

/** Called in main files only. Probot would take "development" for a missing secret, so nothing starts without one (P42). */
export function createProbot(config: GithubConfig, log: Logger): Probot {
  if (config.webhookSecret === '') {
    throw new StalledError(
      'webhook_secret_missing',
      'The GitHub App has no webhook secret: anyone could post webhooks.',
      {
        hint: 'Set the same secret in GITHUB_WEBHOOK_SECRET and on the settings page of the GitHub App.',
      },
    );
  }
  return new Probot({
    appId: config.appId,
    privateKey: config.privateKey,
    secret: config.webhookSecret,
    baseUrl: config.apiUrl,
    log: log.child({ name: 'probot' }, { level: 'fatal' }),
  });
}
