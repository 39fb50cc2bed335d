/** GitHub's quotas: requests an hour, points a minute, and content that notifies people a minute and an hour. */
import { matches } from '../faults.ts';
import { Refusal } from './refusal.ts';

export interface Limits {
  /** Requests of one installation or user an hour. */
  readonly requestsPerHour: number;
  /** Points a minute: a read costs 1, a write 5. */
  readonly pointsPerMinute: number;
  /** Comments, pull requests and other content that notifies people. */
  readonly contentPerMinute: number;
  readonly contentPerHour: number;
}

export const githubLimits: Limits = {
  requestsPerHour: 5000,
  pointsPerMinute: 900,
  contentPerMinute: 80,
  contentPerHour: 500,
};

const minute = 60_000;
const hour = 60 * minute;
const contentOperations = [
  'issues/create*',
  'pulls/create*',
  'reactions/create*',
  'pulls/merge',
  'repos/create-commit-comment',
];

interface Usage {
  windowStart: number;
  used: number;
  points: { at: number; cost: number }[];
  content: number[];
}

export interface Quota {
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  /** Seconds since the epoch. */
  readonly reset: number;
}

export interface Spending {
  readonly holder: string;
  readonly operation: string;
  readonly method: string;
  readonly now: number;
}

const secondaryMessage = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';

export function primaryLimitMessage(holder: string): string {
  return `API rate limit exceeded for ${holder}.`;
}

export function secondaryRefusal(status: number, headers: Readonly<Record<string, string>>): Refusal {
  return new Refusal(status, secondaryMessage, {
    headers,
    documentation:
      'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits',
  });
}

export function quotaHeaders(quota: Quota): Record<string, string> {
  return {
    'x-ratelimit-limit': String(quota.limit),
    'x-ratelimit-remaining': String(quota.remaining),
    'x-ratelimit-reset': String(quota.reset),
    'x-ratelimit-used': String(quota.used),
    'x-ratelimit-resource': 'core',
  };
}

export class RateLimits {
  limits: Limits = githubLimits;
  readonly #usage = new Map<string, Usage>();

  #usageOf(holder: string, now: number): Usage {
    const known = this.#usage.get(holder);
    if (known !== undefined && now - known.windowStart < hour) return known;
    const fresh = { windowStart: now, used: 0, points: known?.points ?? [], content: known?.content ?? [] };
    this.#usage.set(holder, fresh);
    return fresh;
  }

  quota(holder: string, now: number): Quota {
    const usage = this.#usageOf(holder, now);
    return {
      limit: this.limits.requestsPerHour,
      used: usage.used,
      remaining: Math.max(0, this.limits.requestsPerHour - usage.used),
      reset: Math.ceil((usage.windowStart + hour) / 1000),
    };
  }

  /** Counts one request, or throws the refusal GitHub would answer. */
  spend({ holder, operation, method, now }: Spending): void {
    const usage = this.#usageOf(holder, now);
    if (usage.used >= this.limits.requestsPerHour)
      throw new Refusal(403, primaryLimitMessage(holder), {
        headers: quotaHeaders(this.quota(holder, now)),
        documentation: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api',
      });
    usage.used += 1;
    this.#spendPoints(usage, method === 'GET' || method === 'HEAD' ? 1 : 5, now);
    if (method !== 'GET' && contentOperations.some((pattern) => matches(pattern, [operation])))
      this.#spendContent(usage, now);
  }

  #spendPoints(usage: Usage, cost: number, now: number): void {
    usage.points = usage.points.filter(({ at }) => now - at < minute);
    const spent = usage.points.reduce((sum, point) => sum + point.cost, 0);
    const oldest = usage.points[0];
    if (spent + cost > this.limits.pointsPerMinute && oldest !== undefined) throw waitFor(oldest.at + minute - now);
    usage.points.push({ at: now, cost });
  }

  #spendContent(usage: Usage, now: number): void {
    usage.content = usage.content.filter((at) => now - at < hour);
    const lastMinute = usage.content.filter((at) => now - at < minute);
    const [oldest] = usage.content;
    const [oldestOfMinute] = lastMinute;
    if (lastMinute.length >= this.limits.contentPerMinute && oldestOfMinute !== undefined)
      throw waitFor(oldestOfMinute + minute - now);
    if (usage.content.length >= this.limits.contentPerHour && oldest !== undefined) throw waitFor(oldest + hour - now);
    usage.content.push(now);
  }

  reset(): void {
    this.#usage.clear();
  }
}

function waitFor(milliseconds: number): Refusal {
  return secondaryRefusal(403, { 'retry-after': String(Math.max(1, Math.ceil(milliseconds / 1000))) });
}
