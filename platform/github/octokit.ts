/** The Octokit that Landfall uses: throttled per installation, never repeating a request by itself. */
import { createAppAuth } from '@octokit/auth-app';
import { throttling } from '@octokit/plugin-throttling';
import { RequestError } from '@octokit/request-error';
import { Octokit as RestOctokit } from '@octokit/rest';
import type { Logger } from 'pino';
import { githubError } from './errors.ts';
import { fetchWithDeadline, type Fetch } from './fetch.ts';

// No retry plugin: it would repeat a create that GitHub answered with a 502 and had done (P38). Jobs and the outbox
// try again, and look first.
const ThrottledOctokit = RestOctokit.plugin(throttling);
export type Octokit = InstanceType<typeof ThrottledOctokit>;

export interface OctokitSettings {
  appId: number;
  /** PEM. */
  privateKey: string;
  /** Base of the REST API, `https://api.github.com`. */
  apiUrl: string;
  log: Logger;
  /** Milliseconds until a request is given up. */
  deadlineMs: number;
  /** GitHub asks for a second between writes. */
  throttle: { enabled: boolean };
  now: () => Date;
  fetch: Fetch;
}

/** One Octokit with its own throttle (P39); `installationId` null asks as the app. */
export function createOctokit(settings: OctokitSettings, installationId: number | null): Octokit {
  const octokit = new ThrottledOctokit({
    authStrategy: createAppAuth,
    auth: {
      appId: settings.appId,
      privateKey: settings.privateKey,
      ...(installationId === null ? {} : { installationId }),
    },
    baseUrl: settings.apiUrl,
    userAgent: 'landfall',
    log: octokitLog(settings.log),
    request: { fetch: fetchWithDeadline(settings.deadlineMs, settings.fetch) },
    throttle: {
      enabled: settings.throttle.enabled,
      id: `${settings.apiUrl} ${installationId ?? 'app'}`,
      // Waiting is the outbox's: a limit becomes an error that says until when.
      onRateLimit: () => false,
      onSecondaryRateLimit: () => false,
    },
  });
  if (installationId !== null) renewRefusedToken(octokit, installationId);
  octokit.hook.wrap('request', async (request, options) => {
    try {
      return await request(options);
    } catch (error) {
      throw githubError(error, { method: options.method, route: options.url, installationId, now: settings.now() });
    }
  });
  return octokit;
}

/** A token that GitHub refuses was revoked or has run out: nothing was done, so the request goes again with a new one. */
function renewRefusedToken(octokit: Octokit, installationId: number): void {
  octokit.hook.wrap('request', async (request, options) => {
    try {
      return await request(options);
    } catch (error) {
      if (!(error instanceof RequestError) || error.status !== 401 || options.url.startsWith('/app/')) throw error;
      await octokit.auth({ type: 'installation', installationId, refresh: true });
      return await request(options);
    }
  });
}

/** Octokit logs every refused request as an error; what an error means is said by the one who catches it. */
function octokitLog(log: Logger) {
  const quiet = log.child({ name: 'github' });
  const debug = (message: string) => quiet.debug(message);
  return { debug: () => undefined, info: debug, warn: (message: string) => quiet.warn(message), error: debug };
}
