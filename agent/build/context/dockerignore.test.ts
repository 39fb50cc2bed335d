import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseDockerignore, readDockerignore } from './dockerignore.ts';
import { patternMatcher } from './pattern-matcher.ts';

describe('a .dockerignore file', () => {
  it.each([
    ['', []],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\ufeffa\n', ['a']],
    ['a\n\ufeffb', ['a', '\ufeffb']],
    ['# comment\na', ['a']],
    [' # no comment', ['# no comment']],
    ['a # no comment', ['a # no comment']],
    ['  a  \n\t\n\n', ['a']],
    ['a\u00a0', ['a']],
    ['/a/b', ['a/b']],
    ['//a', ['a']],
    ['/', ['/']],
    ['a/', ['a']],
    ['./a/./b/../c', ['a/c']],
    ['..', ['..']],
    ['!a', ['!a']],
    ['! /a/', ['!a']],
    ['!', ['!']],
    ['!!a', ['!!a']],
    ['\\#a', ['\\#a']],
    ['\\!a', ['\\!a']],
  ])('%j lists %j', (text, patterns) => {
    expect(parseDockerignore(text)).toEqual(patterns);
  });

  it('takes back what it excluded, last word first', () => {
    const matcher = patternMatcher(parseDockerignore('**\n!src\nsrc/**/*.test.ts\n'));
    expect(['README.md', 'src/a.ts', 'src/deep/a.test.ts'].map((path) => matcher.match(path).matched)).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('which file holds', () => {
  async function contextWith(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'landfall-ignore-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'deploy'));
    for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
    return folder;
  }

  it("is the Dockerfile's own before the context's", async () => {
    const folder = await contextWith({ '.dockerignore': 'shared', 'deploy/web.Dockerfile.dockerignore': 'own' });
    expect(await readDockerignore(folder, 'deploy/web.Dockerfile')).toEqual(['own']);
    expect(await readDockerignore(folder, 'Dockerfile')).toEqual(['shared']);
  });

  it('is the own one even when it is empty', async () => {
    const folder = await contextWith({ '.dockerignore': 'shared', 'Dockerfile.dockerignore': '' });
    expect(await readDockerignore(folder, 'Dockerfile')).toEqual([]);
  });

  it('is none when there is none', async () => {
    expect(await readDockerignore(await contextWith({}), 'Dockerfile')).toEqual([]);
  });
});
