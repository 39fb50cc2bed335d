import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { appJwt, appId, appOctokit, refusal, tokenOctokit } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage({ clock: () => now });
let now = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  await stage.sandbox.createRepository({ owner: 'acme', name: 'other' });
  await stage.sandbox.createRepository({ owner: 'stranger', name: 'secret' });
});

function asApp(claims: Record<string, unknown>, privateKey?: string) {
  return tokenOctokit(stage.sandbox, appJwt(claims, privateKey)).rest.apps.getAuthenticated();
}

describe('the App JWT', () => {
  const seconds = () => Math.floor(now / 1000);

  it('signs in with the right key and times', async () => {
    const { data } = await asApp({ iat: seconds() - 30, exp: seconds() + 570, iss: appId });
    expect(data).toMatchObject({ id: appId, slug: 'landfall' });
  });

  it.each([
    ['a lifetime beyond ten minutes', { iat: -30, exp: 700 }, /too far in the future/],
    ['an expiry in the past', { iat: -700, exp: -100 }, /'exp'/],
    ['an issue time in the future', { iat: 120, exp: 500 }, /'iat'/],
  ])('refuses %s', async (_, { iat, exp }, message) => {
    const { status, data } = await refusal(asApp({ iat: seconds() + iat, exp: seconds() + exp, iss: appId }));
    expect(status).toBe(401);
    expect(data.message).toMatch(message);
  });

  it('refuses the signature of another key, and another App', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    const claims = { iat: seconds(), exp: seconds() + 60, iss: appId };
    expect(await refusal(asApp(claims, privateKey))).toMatchObject({ status: 401 });
    expect(await refusal(asApp({ ...claims, iss: 1 }))).toMatchObject({ status: 404 });
  });

  it('refuses a JWT that says it needs no signature', async () => {
    const [, claims] = appJwt({ iat: seconds(), exp: seconds() + 60, iss: appId }).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const octokit = tokenOctokit(stage.sandbox, `${header}.${claims ?? ''}.AA`);
    expect(await refusal(octokit.rest.apps.getAuthenticated())).toMatchObject({ status: 401 });
  });
});

describe('installation tokens', () => {
  async function token(request: Record<string, unknown> = {}) {
    const jwt = appJwt({ iat: Math.floor(now / 1000), exp: Math.floor(now / 1000) + 60, iss: appId });
    const { installationId } = stage;
    const route = 'POST /app/installations/{installation_id}/access_tokens';
    return tokenOctokit(stage.sandbox, jwt).request(route, { installation_id: installationId, ...request });
  }

  it('expire after an hour', async () => {
    const { data } = await token();
    expect(Date.parse(data.expires_at)).toBe(now + 3_600_000);
    const octokit = tokenOctokit(stage.sandbox, data.token);
    await octokit.rest.repos.get({ owner: 'acme', repo: 'shop' });
    now += 3_600_001;
    const { status, data: body } = await refusal(octokit.rest.repos.get({ owner: 'acme', repo: 'shop' }));
    expect(status).toBe(401);
    expect(body).toMatchObject({ message: 'Bad credentials' });
  });

  it('narrowed to one repository see no other', async () => {
    const { data } = await token({ repositories: ['shop'] });
    expect(data).toMatchObject({ repository_selection: 'selected', repositories: [{ full_name: 'acme/shop' }] });
    const octokit = tokenOctokit(stage.sandbox, data.token);
    expect(await refusal(octokit.rest.repos.get({ owner: 'acme', repo: 'other' }))).toMatchObject({ status: 404 });
    const { data: list } = await octokit.rest.apps.listReposAccessibleToInstallation();
    expect(list.repositories.map(({ name }) => name)).toEqual(['shop']);
  });

  it('narrowed to reading contents cannot deploy', async () => {
    const { data } = await token({ permissions: { contents: 'read' } });
    expect(data.permissions).toEqual({ contents: 'read', metadata: 'read' });
    const octokit = tokenOctokit(stage.sandbox, data.token);
    const request = octokit.rest.repos.createDeployment({ owner: 'acme', repo: 'shop', ref: 'main' });
    const { status, data: body } = await refusal(request);
    expect(status).toBe(403);
    expect(body.message).toBe('Resource not accessible by integration');
  });

  it('are refused for what the installation does not have', async () => {
    expect(await refusal(token({ permissions: { contents: 'write' } }))).toMatchObject({ status: 422 });
    expect(await refusal(token({ repositories: ['secret'] }))).toMatchObject({ status: 422 });
    expect(await refusal(token({ repository_ids: [1] }))).toMatchObject({ status: 422 });
    expect(await refusal(token({ permissions: { misspelt: 'read' } }))).toMatchObject({ status: 422 });
  });

  it('see nothing outside their installation', async () => {
    const { data } = await token();
    const octokit = tokenOctokit(stage.sandbox, data.token);
    expect(await refusal(octokit.rest.repos.get({ owner: 'stranger', repo: 'secret' }))).toMatchObject({ status: 404 });
  });

  it('end with the installation, and pause with it', async () => {
    const { installationId } = await stage.sandbox.createRepository({ owner: 'leaver', name: 'gone' });
    const jwt = appJwt({ iat: Math.floor(now / 1000), exp: Math.floor(now / 1000) + 60, iss: appId });
    const app = tokenOctokit(stage.sandbox, jwt);
    const { data } = await app.rest.apps.createInstallationAccessToken({ installation_id: installationId! });
    const octokit = tokenOctokit(stage.sandbox, data.token);
    await stage.sandbox.suspend({ installationId: installationId! });
    expect(await refusal(octokit.rest.repos.get({ owner: 'leaver', repo: 'gone' }))).toMatchObject({ status: 403 });
    await stage.sandbox.unsuspend({ installationId: installationId! });
    await octokit.rest.repos.get({ owner: 'leaver', repo: 'gone' });
    await stage.sandbox.uninstall({ installationId: installationId! });
    expect(await refusal(octokit.rest.repos.get({ owner: 'leaver', repo: 'gone' }))).toMatchObject({ status: 401 });
  });
});

it('finds installations by repository and by account', async () => {
  now = Date.now();
  const app = appOctokit(stage.sandbox);
  const { data } = await app.rest.apps.getRepoInstallation({ owner: 'acme', repo: 'shop' });
  expect(data).toMatchObject({ id: stage.installationId, account: { login: 'acme' }, app_id: appId });
  expect((await app.rest.apps.getUserInstallation({ username: 'acme' })).data.id).toBe(stage.installationId);
  const all = await app.paginate(app.rest.apps.listInstallations, { per_page: 1 });
  expect(all.map(({ id }) => id)).toContain(stage.installationId);
  expect(all).toHaveLength(2);
});

it('asks for a user agent and for credentials', async () => {
  const anonymous = await fetch(`${stage.sandbox.apiUrl}/repos/acme/shop`, { headers: { 'user-agent': 'test' } });
  expect(anonymous.status).toBe(401);
  const wrong = tokenOctokit(stage.sandbox, 'ghs_wrong');
  expect(await refusal(wrong.rest.repos.get({ owner: 'acme', repo: 'shop' }))).toMatchObject({ status: 401 });
});
