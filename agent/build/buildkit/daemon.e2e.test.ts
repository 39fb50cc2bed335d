import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestBuildKit } from '../../../test/agent/suite.ts';
import { part } from '../../../test/parts.ts';
import { connectBuildKit, type BuildKitClient } from './client.ts';
import type { ProgressEvent } from './progress.ts';
import type { SolveRequest } from './solve-request.ts';
import { dockerfileRequest, problemOf, temporaryFolder, writeBusyboxContext, type BuildKitDaemon } from './testing.ts';

const run = promisify(execFile);
const ending: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function start(root?: string): Promise<BuildKitDaemon> {
  const daemon = await startTestBuildKit(root === undefined ? {} : { root });
  ending.push(() => daemon.stop());
  return daemon;
}

function connect(daemon: BuildKitDaemon): BuildKitClient {
  const client = connectBuildKit(daemon.address, { liveness: { intervalMs: 200, timeoutMs: 1000 } });
  ending.push(() => client.close());
  return client;
}

async function request(instructions: readonly string[], changes: Partial<SolveRequest> = {}): Promise<SolveRequest> {
  const folder = await temporaryFolder('context');
  ending.push(() => rm(folder, { recursive: true }));
  await writeBusyboxContext(folder, await part('busybox'), instructions);
  return dockerfileRequest(folder, { signal: AbortSignal.timeout(60_000), ...changes });
}

/** Runs once, when the build prints its first line. */
function onFirstLog(act: () => void): (event: ProgressEvent) => void {
  let acted = false;
  return (event) => {
    if (acted || event.kind !== 'log') return;
    acted = true;
    act();
  };
}

const endless = 'RUN ["/bin/sh", "-c", "echo running; sleep 60"]';

describe('a daemon', () => {
  it('tells its version and what it can build for', async () => {
    const client = connect(await start());
    expect((await client.info()).version).not.toBe('');
    const [worker] = await client.workers();
    expect(worker?.platforms[0]).toMatchObject({ os: 'linux' });
  });

  it('frees its cache when asked', async () => {
    const client = connect(await start());
    await client.solve(await request(['RUN ["/bin/sh", "-c", "echo x > /x"]']));
    const pruned = await client.prune({ reservedSpace: 0, maxUsedSpace: 0 });
    expect(pruned.records).toBeGreaterThan(0);
    expect(pruned.bytes).toBeGreaterThan(0);
  });

  it('that is not there is an error at once', async () => {
    const client = connectBuildKit('unix:///nonexistent/buildkitd.sock');
    expect(await problemOf(client.info())).toMatchObject({ kind: 'daemon-unavailable' });
    expect(await problemOf(client.solve(await request([])))).toMatchObject({ kind: 'daemon-unavailable' });
  });

  it('that is killed in mid-build is an error, not a hang', async () => {
    const daemon = await start();
    const build = await request([endless], { onProgress: onFirstLog(() => daemon.process.kill('SIGKILL')) });
    expect(await problemOf(connect(daemon).solve(build))).toMatchObject({ kind: 'daemon-unavailable' });
  });

  it('that stops answering in mid-build is an error, not a hang', async () => {
    const daemon = await start();
    const build = await request([endless], { onProgress: onFirstLog(() => daemon.process.kill('SIGSTOP')) });
    expect(await problemOf(connect(daemon).solve(build))).toMatchObject({
      kind: 'daemon-unavailable',
      reason: 'it no longer answers',
    });
  });

  it('that has no space left is told as that', async () => {
    const root = await temporaryFolder('small');
    ending.push(() => rm(root, { recursive: true }));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', root]);
    ending.push(() => run('umount', ['-l', root]));
    const client = connect(await start(root));
    const build = await request(['COPY big /big']);
    await writeFile(`${build.localDirs['context']?.path ?? ''}/big`, Buffer.alloc(64 * 1024 * 1024, 'x'));
    expect(await problemOf(client.solve(build))).toMatchObject({ kind: 'no-space' });
  });
});

/** Where cgroup hierarchies are mounted: one on v2, one for each controller on v1. */
async function hierarchies(): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  return mounts.filter(([, , type]) => type === 'cgroup' || type === 'cgroup2').map(([, path]) => path ?? '');
}

/** Makes the cgroup where it is limited, and later removes it wherever the daemon made it too. */
async function makeCgroup(name: string): Promise<readonly string[]> {
  const all = await hierarchies();
  const limiting = all.filter((path) => /\/(memory|cpu|cpu,cpuacct)$/.test(path));
  const made = limiting.length > 0 ? limiting : all;
  for (const path of made) await mkdir(`${path}/${name}`);
  ending.push(async () => {
    for (const path of all) {
      await rmdir(`${path}/${name}/buildkit`).catch(() => undefined);
      await rmdir(`${path}/${name}`).catch(() => undefined);
    }
  });
  return made;
}

describe('the cgroup of a build', () => {
  it('P80: holds its steps, and with them its limits', async () => {
    const name = `landfall-test-${process.pid}`;
    const roots = await makeCgroup(name);
    const memory = roots.find((root) => root.endsWith('/memory'));
    const limitFile =
      memory === undefined ? `${roots[0] ?? ''}/${name}/memory.max` : `${memory}/${name}/memory.limit_in_bytes`;
    await writeFile(limitFile, String(64 * 1024 * 1024));
    const client = connect(await start());
    let log = '';
    const build = await request(
      [
        'RUN ["/bin/sh", "-c", "echo in a cgroup; sleep 1"]',
        'RUN ["/bin/sh", "-c", "x=xxxxxxxxxxxxxxxx; while true; do x=$x$x; done"]',
      ],
      {
        cgroupParent: `/${name}`,
        onProgress: (event) => {
          if (event.kind === 'log') log += Buffer.from(event.data).toString('utf8');
        },
      },
    );
    const seen = watchCgroup(roots.map((root) => `${root}/${name}/buildkit`));
    expect(await problemOf(client.solve(build))).toMatchObject({ kind: 'step-failed', exitCode: 137 });
    expect(log).toContain('in a cgroup');
    expect(await seen()).toEqual(roots.map(() => true));
  });
});

/** Watches whether processes appear below each of these cgroups; the answer ends the watch. */
function watchCgroup(paths: readonly string[]): () => Promise<readonly boolean[]> {
  const seen = paths.map(() => false);
  const timer = setInterval(() => {
    paths.forEach((path, index) => {
      void run('find', [path, '-name', 'cgroup.procs', '-exec', 'cat', '{}', '+']).then(
        ({ stdout }) => {
          if (/\d/.test(stdout)) seen[index] = true;
        },
        () => undefined,
      );
    });
  }, 100);
  return () => {
    clearInterval(timer);
    return Promise.resolve(seen);
  };
}
