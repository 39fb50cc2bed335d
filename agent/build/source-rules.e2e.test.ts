import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBuildKit, useRegistry } from '../../test/agent/suite.ts';
import { buildDockerfile } from './buildkit/dockerfile.ts';
import { BuildError } from './buildkit/errors.ts';
import { temporaryFolder, writeTree } from './buildkit/testing.ts';
import { ownImagesOnly } from './source-rules.ts';

const user = { username: 'builder', password: 'correct horse' };
const registry = useRegistry(user);
const buildkit = useBuildKit(registry);
let ofOthers: string;
let own: string;

beforeAll(async () => {
  ofOthers = `${registry.host}/landfall/42/web:1`;
  own = `${registry.host}/landfall/421/base:1`;
  await build(ofOthers, 'FROM scratch\nCOPY Dockerfile /secret-of-others\n');
  await build(own, 'FROM scratch\nCOPY Dockerfile /base\n');
});

/** As a build of the repository that the name belongs to, with credentials for the whole registry. */
async function build(name: string, dockerfile: string, buildArgs: Record<string, string> = {}): Promise<string> {
  const folder = await temporaryFolder('context');
  await writeTree(folder, { Dockerfile: dockerfile });
  try {
    await buildDockerfile(buildkit.client, {
      ...{ sourceDir: folder, contextDir: '.', dockerfile: 'Dockerfile', target: null, buildArgs, labels: {} },
      image: { name, push: true, insecure: true },
      cache: { imports: [], exports: [] },
      secrets: {},
      sourceRules: ownImagesOnly(name.replace(/:1$/, '')),
      registryAuth: (host) => (host === registry.host ? user : undefined),
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    return 'built';
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return JSON.stringify(error.problem);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a Dockerfile', () => {
  const mine = (): string => `${registry.host}/landfall/421/web:1`;
  const denied = /denied by policy/;

  it('P62: cannot begin with the image of another repository, as it stands or through an argument', async () => {
    expect(await build(mine(), `FROM ${ofOthers}\n`)).toMatch(denied);
    expect(await build(mine(), 'ARG BASE\nFROM $BASE\n', { BASE: ofOthers })).toMatch(denied);
    expect(await build(mine(), `ARG N=2\nFROM ${registry.host}/landfall/4\${N}/web:1\n`)).toMatch(denied);
  });

  it('cannot copy or mount from it, nor have it as its frontend', async () => {
    expect(await build(mine(), `FROM scratch\nCOPY --from=${ofOthers} / /\n`)).toMatch(denied);
    expect(await build(mine(), `FROM ${own}\nRUN --mount=type=bind,from=${ofOthers},target=/x ["/base"]\n`)).toMatch(
      denied,
    );
    expect(await build(mine(), `# syntax=${ofOthers}\nFROM scratch\n`)).toMatch(denied);
  });

  it('can begin with an image of its own repository', async () => {
    expect(await build(mine(), `FROM ${own}\nCOPY Dockerfile /also\n`)).toBe('built');
  });
});
