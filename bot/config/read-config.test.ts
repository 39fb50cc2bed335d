import { describe, expect, it } from 'vitest';
import type { GithubClient } from '../../platform/github/client.ts';
import { readConfig } from './read-config.ts';

const at = { repositoryId: 42, defaultBranch: 'main', sha: 'a'.repeat(40) };

/** A repository with a Dockerfile, and this at `landfall.yml`. */
function repositoryWith(configEntry: unknown): GithubClient {
  const entries: Record<string, unknown> = { 'landfall.yml': configEntry, Dockerfile: file('FROM scratch') };
  const answer = (path: unknown) => ({ status: 200, headers: {}, data: entries[String(path)] });
  return { request: (_route, parameters) => Promise.resolve(answer(parameters?.['path'])) };
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
      issues: [{ path: 'landfall.yml', line, endLine: line, message }],
    });
  });

  it('reads one with a byte order mark', async () => {
    const read = await readConfig(repositoryWith(file('\ufeffservices: { shop: {} }')), at);
    expect(read).toMatchObject({ kind: 'read', config: { services: { shop: {} } } });
  });
});
