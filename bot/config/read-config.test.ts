import { describe, expect, it } from 'vitest';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import { parseProjectConfig } from '../../core/spec/parse.ts';
import { readConfig, readDockerfiles } from './read-config.ts';

const at = { repositoryId: 42, defaultBranch: 'main', sha: 'a'.repeat(40) };

/** A repository with a Dockerfile, and this at `landfall.yml`. */
function repositoryWith(configEntry: unknown): GithubClient {
  return repositoryOf({ 'landfall.yml': configEntry, Dockerfile: file('FROM scratch') });
}

function repositoryOf(entries: Record<string, unknown>): GithubClient {
  return {
    request: (_route, parameters) => {
      const path = String(parameters?.['path']);
      if (Object.hasOwn(entries, path)) return Promise.resolve({ status: 200, headers: {}, data: entries[path] });
      return Promise.reject(new IgnoredError('github_not_found', `There is no ${path}.`));
    },
  };
}

function configOf(text: string) {
  const parsed = parseProjectConfig(text, 'landfall.yml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.config;
}

function file(content: string | Buffer) {
  const bytes = Buffer.from(content);
  return { type: 'file', size: bytes.length, encoding: 'base64', content: bytes.toString('base64') };
}

const latin1 = Buffer.from('services:\n  web:\n    env: { NAME: Zo\u00eb }\n', 'latin1');

describe('readConfig', () => {
  it.each([
    ['a directory', [], 1, 'landfall.yml is a directory; it has to be a file.'],
    [
      'a symbolic link out of the repository',
      { type: 'symlink', size: 9, target: '/etc/conf' },
      1,
      'landfall.yml is a symbolic link that leads to no file of the repository.',
    ],
    ['a submodule', { type: 'submodule', size: 0 }, 1, 'landfall.yml is a submodule; it has to be a file.'],
    ['in another encoding', file(latin1), 3, 'This line is not UTF-8; save the file as UTF-8.'],
    [
      'in UTF-16',
      file(Buffer.from('\ufeffversion: 1', 'utf16le')),
      1,
      'This line is not UTF-8; save the file as UTF-8.',
    ],
    ['too large', file('#'.repeat(300_000)), 1, 'landfall.yml has 300000 bytes; at most 262144 are read.'],
  ])('does not take a landfall.yml that is %s for none', async (_what, entry, line, message) => {
    expect(await readConfig(repositoryWith(entry), at)).toEqual({
      kind: 'broken',
      code: 'config_invalid',
      issues: [{ path: 'landfall.yml', line, endLine: line, message }],
    });
  });

  it('reads one with a byte order mark', async () => {
    const read = await readConfig(repositoryWith(file('\ufeffservices: { shop: {} }')), at);
    expect(read).toMatchObject({ kind: 'read', config: { services: { shop: {} } } });
  });

  it('says that there is neither file', async () => {
    expect(await readConfig(repositoryOf({}), at)).toEqual({ kind: 'missing' });
    expect(await readConfig(repositoryOf({ Dockerfile: [] }), at)).toEqual({ kind: 'missing' });
  });

  it('says what to do about a Dockerfile that is too large to look for its port', async () => {
    expect(await readConfig(repositoryOf({ Dockerfile: file('#'.repeat(300_000)) }), at)).toEqual(tooLarge);
  });
});

describe('readDockerfiles', () => {
  const services = 'services: { web: {}, told: { port: 80 }, lost: { build: { dockerfile: missing } } }';

  it('gives those whose port is asked of them', async () => {
    const repository = repositoryOf({ Dockerfile: file('FROM a') });
    expect(await readDockerfiles(repository, at, configOf(services))).toEqual({
      kind: 'read',
      texts: { web: 'FROM a' },
    });
  });

  it('reads none whose service has a port, however large', async () => {
    const repository = repositoryOf({ Dockerfile: file('#'.repeat(300_000)) });
    expect(await readDockerfiles(repository, at, configOf('services: { web: { port: 80 } }'))).toEqual({
      kind: 'read',
      texts: {},
    });
    expect(await readDockerfiles(repository, at, configOf(services))).toEqual(tooLarge);
  });
});

const tooLarge = {
  kind: 'broken',
  code: 'dockerfile_invalid',
  issues: [
    {
      ...{ path: 'Dockerfile', line: 1, endLine: 1 },
      message:
        'Dockerfile has 300000 bytes; at most 262144 are read. It is read for the port that it exposes: name the port in landfall.yml, and it is not.',
    },
  ],
};
