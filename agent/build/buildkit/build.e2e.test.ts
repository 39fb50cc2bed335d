import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openBuildKit, useBuildKit, useRegistry } from '../../../test/agent/suite.ts';
import { part } from '../../../test/parts.ts';
import { descendantsOf } from '../../testing/processes.ts';
import { buildDockerfile, registryCache, type DockerfileBuild } from './dockerfile.ts';
import type { ProgressEvent } from './progress.ts';
import { freePort, problemOf, temporaryFolder, writeBusyboxContext, writeTree } from './testing.ts';

const user = { username: 'builder', password: 'correct horse' };
const registry = useRegistry(user);
const buildkit = useBuildKit(registry);
let busybox: string;

beforeAll(async () => {
  busybox = await part('busybox');
});

async function newFolder(): Promise<string> {
  const folder = await temporaryFolder('context');
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function context(instructions: readonly string[]): Promise<string> {
  const folder = await newFolder();
  await writeBusyboxContext(folder, busybox, instructions);
  return folder;
}

function order(sourceDir: string, changes: Partial<DockerfileBuild> = {}): DockerfileBuild {
  return {
    sourceDir,
    contextDir: '.',
    dockerfile: 'Dockerfile',
    target: null,
    buildArgs: {},
    labels: {},
    image: { name: `${registry.host}/test/app:1`, push: false, insecure: true },
    cache: { imports: [], exports: [] },
    secrets: {},
    registryAuth: (host) => (host === registry.host ? user : undefined),
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** Processes of this daemon whose arguments hold the text. */
function processesWith(text: string): number {
  return descendantsOf(buildkit.daemon.process.pid ?? 0).filter(({ argv }) => argv.includes(text)).length;
}

function logText(events: readonly ProgressEvent[]): string {
  return events.map((event) => (event.kind === 'log' ? Buffer.from(event.data).toString('utf8') : '')).join('');
}

describe('a build', () => {
  it('pushes the image that it reports, and shows what its steps print', async () => {
    const folder = await context(['RUN ["/bin/sh", "-c", "echo to stdout; echo to stderr >&2"]']);
    const events: ProgressEvent[] = [];
    const result = await buildDockerfile(
      buildkit.client,
      order(folder, {
        image: { name: `${registry.host}/test/app:1`, push: true, insecure: true },
        onProgress: (event) => events.push(event),
      }),
    );
    expect(result.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const manifest = await fetch(`http://${registry.host}/v2/test/app/manifests/1`, {
      headers: {
        accept: 'application/vnd.oci.image.manifest.v1+json',
        authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`,
      },
    });
    expect(manifest.headers.get('docker-content-digest')).toBe(result.imageDigest);
    const streams = events
      .filter((event) => event.kind === 'log')
      .map(({ stream, data }) => [stream, String(Buffer.from(data))]);
    expect(streams).toContainEqual(['stdout', 'to stdout\n']);
    expect(streams).toContainEqual(['stderr', 'to stderr\n']);
  });

  it('gives the daemon its build arguments, target and secrets', async () => {
    const folder = await context([
      'ARG COLOUR=none',
      'RUN --mount=type=secret,id=token ["/bin/sh", "-c", "echo $COLOUR; cat /run/secrets/token"]',
      'FROM scratch AS never',
      'COPY missing /missing',
    ]);
    await writeTree(folder, {
      Dockerfile: [
        'FROM scratch AS wanted',
        'COPY bin/sh /bin/sh',
        'ARG COLOUR=none',
        'RUN --mount=type=secret,id=token ["/bin/sh", "-c", "echo $COLOUR; read t < /run/secrets/token; echo $t"]',
        'FROM scratch',
        'COPY missing /missing',
      ].join('\n'),
    });
    const events: ProgressEvent[] = [];
    await buildDockerfile(
      buildkit.client,
      order(folder, {
        target: 'wanted',
        buildArgs: { COLOUR: 'blue' },
        secrets: { token: Buffer.from('canary\n') },
        onProgress: (event) => events.push(event),
      }),
    );
    expect(logText(events)).toContain('blue\ncanary');
  });

  it('says which steps came from the cache', async () => {
    const folder = await context(['RUN ["/bin/sh", "-c", "echo once"]']);
    await buildDockerfile(buildkit.client, order(folder));
    const events: ProgressEvent[] = [];
    await buildDockerfile(buildkit.client, order(folder, { onProgress: (event) => events.push(event) }));
    expect(events.filter((event) => event.kind === 'vertex-cached').map(({ name }) => name)).toEqual([
      '[1/2] COPY bin/sh /bin/sh',
      '[2/2] RUN ["/bin/sh", "-c", "echo once"]',
    ]);
  });

  it('brings the cache back from the registry on a daemon that has none', async () => {
    const folder = await context(['RUN ["/bin/sh", "-c", "echo from the registry"]']);
    const cache = registryCache(`${registry.host}/test/cached`, true);
    const image = { name: `${registry.host}/test/cached:1`, push: true, insecure: true };
    await buildDockerfile(buildkit.client, order(folder, { cache, image }));
    const other = await openBuildKit(registry);
    try {
      const events: ProgressEvent[] = [];
      await buildDockerfile(other.client, order(folder, { cache, image, onProgress: (event) => events.push(event) }));
      expect(events.filter((event) => event.kind === 'vertex-cached')).toHaveLength(2);
    } finally {
      await other.close();
    }
  });

  it('runs many at once over one connection', async () => {
    const folders = await Promise.all(
      Array.from({ length: 8 }, (_, index) => context([`RUN ["/bin/sh", "-c", "echo build ${index}"]`])),
    );
    const logs = await Promise.all(
      folders.map(async (folder) => {
        const events: ProgressEvent[] = [];
        await buildDockerfile(buildkit.client, order(folder, { onProgress: (event) => events.push(event) }));
        return logText(events);
      }),
    );
    expect(logs).toEqual(folders.map((_, index) => `build ${index}\n`));
  });
});

describe('a build that fails', () => {
  it('names the step, its lines in the Dockerfile, the exit code and the last lines', async () => {
    const folder = await context(['RUN ["/bin/sh", "-c", \\', '  "echo first; echo last; exit 7"]']);
    const problem = await problemOf(buildDockerfile(buildkit.client, order(folder)));
    expect(problem).toMatchObject({
      kind: 'step-failed',
      exitCode: 7,
      source: { file: 'Dockerfile', lines: { start: 3, end: 4 } },
      logTail: ['first', 'last'],
    });
  });

  it('names the path of a Dockerfile that lies deeper', async () => {
    const folder = await context([]);
    await writeTree(folder, { 'deploy/web.Dockerfile': 'FROM scratch\nCOPY missing /x\n' });
    const problem = await problemOf(
      buildDockerfile(buildkit.client, order(folder, { dockerfile: 'deploy/web.Dockerfile' })),
    );
    expect(problem).toMatchObject({
      kind: 'step-failed',
      exitCode: null,
      source: { file: 'deploy/web.Dockerfile', lines: { start: 2, end: 2 } },
    });
  });

  it('tells a Dockerfile that cannot be parsed, with the line', async () => {
    const folder = await context(['COPPY a b']);
    expect(await problemOf(buildDockerfile(buildkit.client, order(folder)))).toMatchObject({
      kind: 'dockerfile-invalid',
      source: { file: 'Dockerfile', lines: { start: 3, end: 3 } },
    });
  });

  it('tells a base image that cannot be fetched, with the line', async () => {
    const folder = await newFolder();
    await writeTree(folder, { Dockerfile: `FROM 127.0.0.1:${await freePort()}/none/base:1\n` });
    expect(await problemOf(buildDockerfile(buildkit.client, order(folder)))).toMatchObject({
      kind: 'base-image-unavailable',
      source: { lines: { start: 1, end: 1 } },
    });
  });

  it('explains the failure of a Dockerfile that is itself large', async () => {
    const comments = Array.from(
      { length: 3000 },
      (_, index) => `# line ${index} of a Dockerfile that explains itself at length`,
    );
    const folder = await context([...comments, 'RUN ["/bin/sh", "-c", "exit 3"]']);
    expect(await problemOf(buildDockerfile(buildkit.client, order(folder)))).toMatchObject({
      kind: 'step-failed',
      exitCode: 3,
    });
  });

  it('tells a registry that refuses the password', async () => {
    const folder = await context([]);
    const build = order(folder, {
      image: { name: `${registry.host}/test/refused:1`, push: true, insecure: true },
      registryAuth: () => ({ username: user.username, password: 'wrong' }),
    });
    expect(await problemOf(buildDockerfile(buildkit.client, build))).toEqual({
      kind: 'registry-auth-refused',
      host: registry.host,
      status: 401,
    });
  });

  it('tells a registry that is not there', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const folder = await context([]);
    const build = order(folder, { image: { name: `${host}/test/app:1`, push: true, insecure: true } });
    expect(await problemOf(buildDockerfile(buildkit.client, build))).toEqual({
      kind: 'registry-unreachable',
      host,
      reason: 'ECONNREFUSED',
    });
  });

  it('leaves the connection fit for the next build', async () => {
    const folder = await context(['RUN ["/bin/sh", "-c", "exit 1"]']);
    await problemOf(buildDockerfile(buildkit.client, order(folder)));
    const next = await context([]);
    expect((await buildDockerfile(buildkit.client, order(next))).imageDigest).not.toBeNull();
  });
});

describe('a build that is cancelled', () => {
  it('ends in the daemon too', async () => {
    const folder = await context(['RUN ["/bin/sh", "-c", "sleep 60.25"]']);
    const cancel = new AbortController();
    const ended = problemOf(buildDockerfile(buildkit.client, order(folder, { signal: cancel.signal })));
    await vi.waitFor(() => expect(processesWith('60.25')).toBe(1), { timeout: 30_000, interval: 50 });
    cancel.abort(new Error('a newer push came'));
    expect(await ended).toEqual({ kind: 'cancelled', reason: 'a newer push came' });
    await vi.waitFor(() => expect(processesWith('60.25')).toBe(0), { timeout: 5_000, interval: 50 });
  });

  it('never starts when it was cancelled before', async () => {
    const folder = await context([]);
    const build = order(folder, { signal: AbortSignal.abort(new Error('too late')) });
    expect(await problemOf(buildDockerfile(buildkit.client, build))).toEqual({ kind: 'cancelled', reason: 'too late' });
  });
});
