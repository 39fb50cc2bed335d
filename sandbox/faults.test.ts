import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { matches } from './faults.ts';
import { controlToken, git, refusal } from './testing/harness.ts';
import { useStage } from './testing/use-stage.ts';

const stage = useStage();
const repo = () => ({ owner: stage.owner, repo: stage.repo });

beforeAll(async () => {
  await stage.octokit.rest.repos.get(repo());
});

beforeEach(() => {
  stage.sandbox.faults.clear();
  stage.sandbox.limits.reset();
});

const get = () => stage.octokit.rest.repos.get(repo());

it.each([
  ['repos/create-*', 'repos/create-deployment', true],
  ['repos/create-*', 'checks/create', false],
  ['POST /repos/*/deployments', 'POST /repos/acme/shop/deployments', true],
  ['POST /repos/*/deployments', 'POST /repos/acme/shop/deployments/1/statuses', false],
  ['repos/get', 'repos/get-branch', false],
  ['a.b', 'axb', false],
])('the pattern %s against %s is %s', (pattern, subject, expected) => {
  expect(matches(pattern, [subject])).toBe(expected);
});

describe('faults of requests', () => {
  it('P38: a 502 hides a write that happened', async () => {
    stage.sandbox.faults.set({ kind: 'bad_gateway_after_commit', match: 'repos/create-deployment', times: 1 });
    const create = () => stage.octokit.rest.repos.createDeployment({ ...repo(), ref: 'main', environment: 'lost' });
    expect(await refusal(create())).toMatchObject({ status: 502 });
    const { data } = await stage.octokit.rest.repos.listDeployments({ ...repo(), environment: 'lost' });
    expect(data).toHaveLength(1);
    expect((await create()).status).toBe(201);
  });

  it('primary limits come with or without their headers', async () => {
    stage.sandbox.faults.set({ kind: 'primary_limit', status: 403, retryAfter: null, reset: 30, times: 1 });
    const known = await refusal(get());
    expect(known.status).toBe(403);
    expect(known.data.message).toMatch(/^API rate limit exceeded for installation ID \d+/);
    expect(known.headers).toMatchObject({ 'x-ratelimit-remaining': '0' });
    expect(Number(known.headers['x-ratelimit-reset'])).toBeGreaterThan(Date.now() / 1000 + 20);
    expect(known.headers).not.toHaveProperty('retry-after');
    stage.sandbox.faults.set({ kind: 'primary_limit', status: 429, retryAfter: 7, reset: null, times: 1 });
    const bare = await refusal(get());
    expect(bare.status).toBe(429);
    expect(bare.headers['retry-after']).toBe('7');
    expect(bare.headers).not.toHaveProperty('x-ratelimit-remaining');
    expect((await get()).status).toBe(200);
  });

  it('secondary limits say so', async () => {
    stage.sandbox.faults.set({ kind: 'secondary_limit', status: 403, retryAfter: 3, reset: null, times: 1 });
    const { data, headers } = await refusal(get());
    expect(data.message).toMatch(/secondary rate limit/);
    expect(data.documentation_url).toMatch(/secondary-rate-limits$/);
    expect(headers['retry-after']).toBe('3');
  });

  it('an expired token is refused as often as asked', async () => {
    stage.sandbox.faults.set({ kind: 'expired_token', match: 'GET /repos/acme/shop/branches', times: 1 });
    const answer = await fetch(`${stage.sandbox.apiUrl}/repos/acme/shop/branches`, {
      headers: {
        authorization: `token ${((await stage.octokit.auth({ type: 'installation' })) as { token: string }).token}`,
      },
    });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ message: 'Bad credentials' });
  });

  it('latency delays requests and git', async () => {
    stage.sandbox.faults.set({ kind: 'latency', milliseconds: 250, match: 'repos/get', times: 1 });
    const started = performance.now();
    await get();
    expect(performance.now() - started).toBeGreaterThan(245);
    stage.sandbox.faults.set({ kind: 'expired_token', match: 'git/upload-pack', times: 1 });
    const { url } = await stage.sandbox.pushToken({ repositoryId: stage.repositoryId });
    await expect(git(stage.folder, 'ls-remote', url)).rejects.toThrow(/Authentication failed/);
    expect(await git(stage.folder, 'ls-remote', url)).toContain('refs/heads/main');
  });
});

describe('limits without faults', () => {
  it('end the hour’s requests with the reset time', async () => {
    stage.sandbox.limits.limits = { ...stage.sandbox.limits.limits, requestsPerHour: 2 };
    await get();
    const { headers } = await get();
    expect(headers).toMatchObject({ 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '0', 'x-ratelimit-used': '2' });
    const refused = await refusal(get());
    expect(refused.status).toBe(403);
    expect(refused.headers).toMatchObject({ 'x-ratelimit-remaining': '0' });
    await stage.sandbox.setLimits({});
    expect((await stage.octokit.rest.rateLimit.get()).data.rate.limit).toBe(5000);
  });

  it('slow down content that notifies people, and writes', async () => {
    await stage.sandbox.setLimits({ contentPerMinute: 1 });
    const open = () => stage.octokit.rest.issues.create({ ...repo(), title: 'x' });
    await open();
    const { status, data, headers } = await refusal(open());
    expect(status).toBe(403);
    expect(data.message).toMatch(/secondary rate limit/);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    await stage.sandbox.setLimits({ pointsPerMinute: 9 });
    await open();
    expect(await refusal(open())).toMatchObject({ status: 403 });
  });
});

it('refuses a fault that does not exist', async () => {
  const answer = await fetch(`${stage.sandbox.url}/_sandbox/setFault`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${controlToken}` },
    body: JSON.stringify({ kind: 'meteor' }),
  });
  expect(answer.status).toBe(400);
});
