import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostileText } from '../../../test/hostile/names.ts';
import { dockerfileRequest, findPlaces, registryCache, type DockerfileBuild } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { frontendAttrs } from './solve.ts';

function sourceWith(...files: readonly string[]): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'landfall-source-')));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const path of files) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  return root;
}

async function refusal(sourceDir: string, contextDir: string, dockerfile: string): Promise<string> {
  try {
    await findPlaces({ sourceDir, contextDir, dockerfile });
  } catch (error) {
    if (error instanceof BuildError) return error.problem.kind;
    throw error;
  }
  return 'none';
}

describe('the places of a build', () => {
  it('are found below the source', async () => {
    const root = sourceWith('app/Dockerfile', 'deploy/web.Dockerfile');
    expect(await findPlaces({ sourceDir: root, contextDir: 'app', dockerfile: 'deploy/web.Dockerfile' })).toEqual({
      contextDir: join(root, 'app'),
      dockerfileDir: join(root, 'deploy'),
      filename: 'web.Dockerfile',
    });
  });

  it('follow a Dockerfile that is a symlink, which keeps its name in its own directory', async () => {
    const root = sourceWith('a/real', 'b/x');
    symlinkSync('real', join(root, 'a/Dockerfile'));
    symlinkSync('../a/real', join(root, 'b/Dockerfile'));
    const places = (dockerfile: string) => findPlaces({ sourceDir: root, contextDir: '.', dockerfile });
    expect(await places('a/Dockerfile')).toMatchObject({ dockerfileDir: join(root, 'a'), filename: 'Dockerfile' });
    expect(await places('b/Dockerfile')).toMatchObject({ dockerfileDir: join(root, 'a'), filename: 'real' });
  });

  it('P69: never lie outside of the source', async () => {
    const root = sourceWith('inside/Dockerfile');
    symlinkSync('/etc', join(root, 'etc'));
    symlinkSync('/etc/hostname', join(root, 'inside/hostname'));
    expect(await refusal(root, '..', 'inside/Dockerfile')).toBe('context-invalid');
    expect(await refusal(root, 'etc', 'inside/Dockerfile')).toBe('context-invalid');
    expect(await refusal(root, '.', '../../etc/hostname')).toBe('dockerfile-missing');
    expect(await refusal(root, '.', 'etc/hostname')).toBe('dockerfile-missing');
    expect(await refusal(root, '.', 'inside/hostname')).toBe('dockerfile-missing');
    expect(await refusal(root, '.', 'inside/Dockerfile')).toBe('none');
  });

  it('are missing when they are not there, or are something else', async () => {
    const root = sourceWith('Dockerfile', 'dir/file');
    expect(await refusal(root, 'none', 'Dockerfile')).toBe('context-invalid');
    expect(await refusal(root, 'Dockerfile', 'Dockerfile')).toBe('context-invalid');
    expect(await refusal(root, '.', 'dir')).toBe('dockerfile-missing');
    expect(await refusal(root, '.', 'dir/Dockerfile')).toBe('dockerfile-missing');
  });
});

const build: DockerfileBuild = {
  sourceDir: '/src',
  contextDir: '.',
  dockerfile: 'Dockerfile',
  target: null,
  buildArgs: {},
  labels: {},
  image: { name: 'r.test/a:1', push: true, insecure: false },
  cache: { imports: [], exports: [] },
  secrets: {},
  registryAuth: () => undefined,
  onProgress: () => undefined,
  signal: new AbortController().signal,
};
const places = { contextDir: '/src', dockerfileDir: '/src', filename: 'Dockerfile' };

describe('the request of a build', () => {
  it('names the Dockerfile, the context and the image', () => {
    expect(dockerfileRequest(build, places)).toMatchObject({
      frontend: 'dockerfile.v0',
      frontendAttrs: { filename: 'Dockerfile' },
      localDirs: { context: { path: '/src' }, dockerfile: { path: '/src' } },
      exports: [{ type: 'image', attrs: { name: 'r.test/a:1', push: 'true' } }],
    });
  });

  it('carries target, arguments, labels, cache and cgroup as the frontend reads them', () => {
    const request = dockerfileRequest(
      {
        ...build,
        target: 'web',
        buildArgs: { A: '1' },
        labels: { 'org.example': 'x' },
        cache: registryCache('r.test/a', true),
        cgroupParent: '/landfall/builds/1',
      },
      places,
    );
    expect(frontendAttrs(request)).toEqual({
      filename: 'Dockerfile',
      target: 'web',
      'build-arg:A': '1',
      'label:org.example': 'x',
      'cgroup-parent': '/landfall/builds/1',
      'cache-imports': JSON.stringify([
        { Type: 'registry', Attrs: { ref: 'r.test/a:buildcache', 'registry.insecure': 'true' } },
      ]),
    });
    expect(request.cacheExports[0]?.attrs).toMatchObject({ mode: 'max', 'ignore-error': 'true' });
  });

  it('P66: carries any name, path and value as it is, and makes no further attribute of it', () => {
    const values = fc.dictionary(fc.stringMatching(/^[A-Za-z_]\w{0,20}$/), hostileText, { maxKeys: 4 });
    const tried = fc.property(hostileText, hostileText, values, (filename, target, buildArgs) => {
      const request = dockerfileRequest({ ...build, target, buildArgs }, { ...places, filename });
      const named = Object.entries(buildArgs).map(([name, value]) => [`build-arg:${name}`, value]);
      expect(Object.entries(frontendAttrs(request))).toEqual([['filename', filename], ['target', target], ...named]);
    });
    fc.assert(tried);
  });
});
