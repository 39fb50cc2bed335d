/** Turns what GitHub answers into errors that carry policy. Read from status and headers, never from a sentence. */
import { RequestError } from '@octokit/request-error';
import { IgnoredError, StalledError, WaitingError } from '../errors/errors.ts';

/** GitHub is not there, or is failing: worth another try, and a create looks first whether it was done. */
export class GithubUnavailableError extends Error {
  override readonly name = 'GithubUnavailableError';
  readonly code = 'github_unavailable';
}

export interface RequestFacts {
  method: string;
  /** The route as called, `/repositories/{repository_id}/check-runs`. */
  route: string;
  /** null when the app itself asked. */
  installationId: number | null;
  now: Date;
}

/** GitHub asks for at least a minute when a limit does not say how long it lasts. */
const unspecifiedLimitMs = 60_000;

const mintRoute = /\/app\/installations\/[^/]+\/access_tokens$/;

export function githubError(error: unknown, facts: RequestFacts): unknown {
  if (!(error instanceof RequestError)) return error;
  if (error.response === undefined || error.status >= 500) return unavailable(error, facts);
  const until = limitedUntil(error, facts.now);
  if (until !== null) {
    const message = `GitHub limits how often ${who(facts)} may ask; the limit ends at ${until.toISOString()}.`;
    return new WaitingError('github_rate_limited', message, { until, cause: error });
  }
  return mintRoute.test(facts.route) ? mintRefused(error, facts) : refused(error, facts);
}

function unavailable(error: RequestError, facts: RequestFacts): GithubUnavailableError {
  const how = error.response === undefined ? `no answer (${error.message})` : `status ${error.status}`;
  return new GithubUnavailableError(`GitHub is not available: ${how} to ${said(facts)}.`, { cause: error });
}

/** When a limit that was hit ends; null when the answer is not about a limit. */
function limitedUntil(error: RequestError, now: Date): Date | null {
  if (error.status !== 403 && error.status !== 429) return null;
  const headers = error.response?.headers ?? {};
  const retryAfter = Number(headers['retry-after']);
  if (headers['retry-after'] !== undefined && Number.isFinite(retryAfter)) {
    return new Date(now.getTime() + Math.max(1, retryAfter) * 1000);
  }
  const reset = Number(headers['x-ratelimit-reset']);
  if (headers['x-ratelimit-remaining'] === '0' && Number.isFinite(reset)) {
    return new Date(Math.max(reset * 1000, now.getTime()) + 1000);
  }
  return error.status === 429 || pointsAtLimits(error) ? new Date(now.getTime() + unspecifiedLimitMs) : null;
}

/** A secondary limit may come as a bare 403: then only the page that the answer links to tells it from a missing right. */
function pointsAtLimits(error: RequestError): boolean {
  const data: unknown = error.response?.data;
  if (typeof data !== 'object' || data === null || !('documentation_url' in data)) return false;
  return /rate-limit/.test(String(data.documentation_url));
}

/** No token for the installation: suspended, removed, or the app's own key is refused. */
function mintRefused(error: RequestError, facts: RequestFacts): Error {
  const cause = { cause: error };
  switch (error.status) {
    case 401:
      return credentialsRefused(error);
    case 403:
      return new StalledError('installation_suspended', `GitHub refuses tokens for ${who(facts)}: it is suspended.`, {
        hint: 'Unsuspend the app in the settings of the account that installed it.',
        ...cause,
      });
    case 404:
      return new IgnoredError('installation_removed', `GitHub knows no ${who(facts)}: the app was uninstalled.`);
    case 422:
      return new IgnoredError(
        'repository_not_installed',
        `GitHub gives no token for this repository: ${who(facts)} does not include it any more.`,
      );
    default:
      return rejected(error, facts);
  }
}

function refused(error: RequestError, facts: RequestFacts): Error {
  switch (error.status) {
    case 401:
      return credentialsRefused(error);
    case 403:
      return new StalledError('github_forbidden', `GitHub does not allow ${who(facts)} to ${said(facts)}.`, {
        hint: 'Accept the permissions that the app asks for in the settings of the account that installed it.',
        cause: error,
      });
    case 404:
    case 410:
    case 451:
      return new IgnoredError('github_not_found', `GitHub has nothing for ${who(facts)} at ${said(facts)}.`);
    case 409:
      return new StalledError('github_conflict', `GitHub reports a conflict at ${said(facts)}: ${error.message}`, {
        cause: error,
      });
    default:
      return rejected(error, facts);
  }
}

function credentialsRefused(error: RequestError): StalledError {
  return new StalledError('github_credentials_refused', 'GitHub refuses the credentials of the app.', {
    hint: 'Check the app id and the private key, and the clock of this machine.',
    cause: error,
  });
}

function rejected(error: RequestError, facts: RequestFacts): StalledError {
  return new StalledError('github_rejected', `GitHub rejected ${said(facts)} (${error.status}): ${error.message}`, {
    cause: error,
  });
}

function who(facts: RequestFacts): string {
  return facts.installationId === null ? 'the app' : `installation ${facts.installationId}`;
}

function said(facts: RequestFacts): string {
  return `${facts.method} ${facts.route}`;
}
