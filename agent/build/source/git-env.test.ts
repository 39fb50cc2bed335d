import { expect, it } from 'vitest';
import { fetchGitEnv, localGitEnv } from './git-env.ts';

const cloneUrl = 'https://github.com/acme/app.git';
const base = {
  PATH: '/usr/bin',
  HOME: '/root',
  GITHUB_TOKEN: 'other',
  GIT_DIR: '/somewhere',
  HTTPS_PROXY: 'http://proxy',
};

/** The settings as git reads them. */
function settings(env: Record<string, string>): [string, string][] {
  const count = Number(env['GIT_CONFIG_COUNT']);
  return Array.from({ length: count }, (_, n) => [
    env[`GIT_CONFIG_KEY_${n}`] ?? '',
    env[`GIT_CONFIG_VALUE_${n}`] ?? '',
  ]);
}

it('P65: gives the token to this URL alone, as a header, and follows no redirect with it', () => {
  const env = fetchGitEnv({ base, cloneUrl, token: 'ghs_x' });
  const header = `Authorization: Basic ${Buffer.from('x-access-token:ghs_x').toString('base64')}`;
  expect(settings(env)).toContainEqual([`http.${cloneUrl}.extraHeader`, header]);
  expect(settings(env)).toContainEqual(['http.followRedirects', 'false']);
  expect(env['GIT_ALLOW_PROTOCOL']).toBe('http:https');
});

it('keeps every setting, and counts them', () => {
  const env = fetchGitEnv({ base, cloneUrl, token: 't' });
  const names = settings(env).map(([name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(['core.hooksPath', 'gc.auto', 'http.lowSpeedTime']));
  expect(names).not.toContain('');
});

it('takes nothing from the configuration of the machine, and only what git needs of the environment', () => {
  const env = localGitEnv(base);
  expect(env).toMatchObject({ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' });
  expect([env['PATH'], env['HTTPS_PROXY']]).toEqual(['/usr/bin', 'http://proxy']);
  expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['GITHUB_TOKEN']));
  expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['GIT_DIR']));
});
