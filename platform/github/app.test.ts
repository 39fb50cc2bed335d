import { setImmediate } from 'node:timers/promises';
import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeGithub, json, type Answer } from '../../test/fakes/github.ts';
import { IgnoredError, StalledError, WaitingError } from '../errors/errors.ts';
import { GithubUnavailableError } from './errors.ts';

const now = new Date('2030-01-01T00:00:00Z');
const route = 'GET /repositories/{repository_id}';

async function ask(answer: Answer, options: Parameters<typeof fakeGithub>[1] = {}): Promise<unknown> {
  const { app } = fakeGithub(answer, { now: () => now, ...options });
  const octokit = await app.forInstallation(5);
  return octokit.request(route, { repository_id: 1 }).then(
    ({ data }) => data as unknown,
    (error: unknown) => error,
  );
}

afterEach(() => {
  vi.useRealTimers();
});

describe('errors carry policy, read from status and headers', () => {
  const minute = new Date(now.getTime() + 60_000);
  const limits = [
    ['429 with Retry-After', 429, { 'retry-after': '17' }, new Date(now.getTime() + 17_000)],
    ['403 with Retry-After', 403, { 'retry-after': '17' }, new Date(now.getTime() + 17_000)],
    [
      '403 with nothing remaining',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now.getTime() / 1000 + 90) },
      new Date(now.getTime() + 91_000),
    ],
    ['429 without headers', 429, {}, minute],
  ] as const;
  it.each(limits)('%s waits until the limit ends', async (_name, status, headers, until) => {
    const error = await ask(() => json(status, { message: 'slow down' }, headers));
    expect(error).toBeInstanceOf(WaitingError);
    expect(error).toMatchObject({ code: 'github_rate_limited', until });
  });

  it('a bare 403 that links to the page on limits waits a minute', async () => {
    const documentation_url = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';
    expect(await ask(() => json(403, { message: 'no', documentation_url }))).toMatchObject({ until: minute });
  });

  it('a 403 about rights needs a person', async () => {
    const error = await ask(() => json(403, { message: 'Resource not accessible by integration' }));
    expect(error).toBeInstanceOf(StalledError);
    expect(error).toMatchObject({ code: 'github_forbidden', hint: expect.stringContaining('permissions') as string });
  });

  it.each([404, 410, 451])('%i: there is nothing', async (status) => {
    const error = await ask(() => json(status, { message: 'Not Found' }));
    expect(error).toBeInstanceOf(IgnoredError);
    expect(error).toMatchObject({ code: 'github_not_found' });
  });

  it.each([
    [409, 'github_conflict'],
    [422, 'github_rejected'],
    [400, 'github_rejected'],
  ])('%i never succeeds by itself', async (status, code) => {
    const error = await ask(() => json(status, { message: 'No commit found for SHA' }));
    expect(error).toBeInstanceOf(StalledError);
    expect(error).toMatchObject({ code, message: expect.stringContaining('No commit found') as string });
  });

  it.each([500, 502, 503])('%i is tried again', async (status) => {
    expect(await ask(() => json(status, {}))).toBeInstanceOf(GithubUnavailableError);
  });

  it('a connection that breaks is tried again', async () => {
    expect(await ask(() => Promise.reject(new TypeError('fetch failed')))).toBeInstanceOf(GithubUnavailableError);
  });

  it('a body that breaks off is no empty body', async () => {
    const broken = () =>
      new Response(new ReadableStream({ start: (controller) => controller.error(new Error('socket hang up')) }), {
        headers: { 'content-type': 'application/json' },
      });
    expect(await ask(broken)).toBeInstanceOf(GithubUnavailableError);
  });

  it.each([
    [403, StalledError, 'installation_suspended'],
    [404, IgnoredError, 'installation_removed'],
    [401, StalledError, 'github_credentials_refused'],
  ])('no token for the installation (%i) says why', async (status, kind, code) => {
    const error = await ask(() => json(200, {}), { mint: () => json(status, { message: 'x' }) });
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code });
  });
});

describe('requests', () => {
  it('P03: end at their deadline', async () => {
    const never: Answer = () => new Promise(() => undefined);
    const { app } = fakeGithub(never, {
      deadlineMs: 20,
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
        }),
    });
    await expect(app.asApp().request('GET /app')).rejects.toBeInstanceOf(GithubUnavailableError);
  });

  it('go again with a new token when GitHub refuses the one they had', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] });
    const github = fakeGithub(({ authorization }) =>
      authorization === 'token ghs_1' && Date.now() > start + 60_000 ? json(401, {}) : json(200, { id: 1 }),
    );
    const start = Date.now();
    const octokit = await github.app.forInstallation(5);
    await octokit.request(route, { repository_id: 1 });
    vi.setSystemTime(start + 120_000);
    expect((await octokit.request(route, { repository_id: 1 })).status).toBe(200);
    expect(github.minted).toEqual(['ghs_1', 'ghs_2']);
  });

  it('P38: a create that GitHub answered with a 502 is not repeated by itself', async () => {
    const github = fakeGithub(() => json(502, {}));
    const octokit = await github.app.forInstallation(5);
    await expect(
      octokit.request('POST /repositories/{repository_id}/check-runs', { repository_id: 1 }),
    ).rejects.toThrow();
    expect(github.asked).toHaveLength(1);
  });
});

describe('installations', () => {
  it('P39: each has one Octokit of its own', async () => {
    const { app } = fakeGithub(() => json(200, {}));
    expect(await app.forInstallation(1)).toBe(await app.forInstallation(1));
    expect(await app.forInstallation(1)).not.toBe(await app.forInstallation(2));
  });

  it('P39: a busy one does not slow the others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const github = fakeGithub(() => json(201, { id: 1 }), {
      throttle: { enabled: true },
      apiUrl: 'http://github.test/api/v3',
    });
    const write = async (installation: number) => {
      const octokit = await github.app.forInstallation(installation);
      return octokit.request('POST /repositories/{repository_id}/statuses', { repository_id: installation });
    };
    const all = [write(101), write(101), write(102)];
    const began = Date.now();
    while (github.asked.length < 2) {
      await vi.advanceTimersByTimeAsync(1);
      await setImmediate();
    }
    // The busy one's second write still waits for its turn, which comes a second after its first.
    expect(Date.now() - began).toBeLessThan(1_000);
    const paths = github.asked.map(({ path }) => path).sort();
    expect(paths).toEqual(['/repositories/101/statuses', '/repositories/102/statuses']);
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(all);
    expect(github.asked).toHaveLength(3);
  });
});

describe('source tokens', () => {
  it('P62: are for one repository, and read its contents only', async () => {
    const github = fakeGithub(() => json(201, { token: 'ghs_source', expires_at: '2030-01-01T01:00:00Z' }));
    expect(await github.app.mintSourceToken({ installationId: 5, repositoryId: 77 })).toEqual({
      token: 'ghs_source',
      expiresAt: new Date('2030-01-01T01:00:00Z'),
    });
    expect(github.asked).toMatchObject([
      {
        method: 'POST',
        path: '/app/installations/5/access_tokens',
        body: { repository_ids: [77], permissions: { contents: 'read' } },
        authorization: expect.stringMatching(/^bearer /) as string,
      },
    ]);
  });

  it('say when the installation does not include the repository any more', async () => {
    const github = fakeGithub(() => json(422, { message: 'There is at least one repository that does not exist' }));
    await expect(github.app.mintSourceToken({ installationId: 5, repositoryId: 77 })).rejects.toMatchObject({
      code: 'repository_not_installed',
    });
  });
});

describe('webhooks', () => {
  const body = Buffer.from('{"zen":"ü"}');
  const { app } = fakeGithub(() => json(200, {}));
  const sign = (secret: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

  it('are taken when they are signed with our secret, over their raw bytes', () => {
    expect(app.verify(body, sign('whsec'))).toBe(true);
    expect(app.verify(Buffer.from('{"zen": "ü"}'), sign('whsec'))).toBe(false);
  });

  it.each([sign('other'), sign('whsec').toUpperCase(), 'sha256=', 'sha1=00', ''])(
    'are refused under %j',
    (signature) => {
      expect(app.verify(body, signature)).toBe(false);
    },
  );

  it('P42: nothing starts without a secret', () => {
    expect(() => fakeGithub(() => json(200, {}), { webhookSecret: '' })).toThrow(/no webhook secret/);
  });
});
