import { cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Static } from 'typebox';
import type { BuildOutcome, ClaimAnswer } from '../core/contract/work.ts';
import { useRegistry } from '../test/agent/suite.ts';
import { part } from '../test/parts.ts';
import { cgroupVersion } from './cgroup/version.ts';
import { run } from './process/run.ts';
import { instanceName } from './storage/instance.ts';
import { startTestAgent, type TestAgent } from './testing/agent.ts';
import { startControlPlane, type TestControlPlane } from './testing/control-plane.ts';
import { startGitServer, type TestGitServer } from './testing/git-server.ts';
import { reserveNetwork } from './testing/network.ts';
import { lineOf, processesOf } from './testing/processes.ts';

type BuildOrder = Static<typeof ClaimAnswer>['order'];

const user = { username: 'pusher', password: 'canary-registry-password' };
const registry = useRegistry(user);
let plane: TestControlPlane;
let source: TestGitServer;
let one: TestAgent;
let busybox: string;
let count = 0;

beforeAll(async () => {
  busybox = await part('busybox');
  source = await startGitServer();
  const network = await reserveNetwork();
  plane = await startControlPlane(network);
  one = await startTestAgent(plane, {
    bridge: network.bridge,
    builder: { kind: 'supervised', program: await part('buildkitd') },
  });
  await plane.reported((report) => report.capabilities.includes('build'), 30_000);
});

afterAll(async () => {
  await one.end();
  await source.stop();
  await plane.stop();
});

/** A repository whose image needs no base image. */
const repository = (dockerfile: readonly string[]) => async (folder: string) => {
  await mkdir(path.join(folder, 'bin'));
  await cp(busybox, path.join(folder, 'bin', 'busybox'));
  for (const name of ['sh', 'sleep', 'tail', 'head', 'cat']) await symlink('busybox', path.join(folder, 'bin', name));
  await writeFile(path.join(folder, 'Dockerfile'), ['FROM scratch', 'COPY bin /bin', ...dockerfile, ''].join('\n'));
};

interface Offer {
  workId: string;
  buildId: string;
}

function offer(sha: string, change: Partial<BuildOrder> = {}, spec: Partial<BuildOrder['spec']> = {}): Offer {
  count += 1;
  const workId = `01900000-0000-7000-8000-0000000d${String(count).padStart(4, '0')}`;
  const buildId = `01900000-0000-7000-8000-0000000e${String(count).padStart(4, '0')}`;
  plane.offerBuild({ workId, kind: 'build', attempt: 1, status: 'offered', cancel: null }, (seals) => ({
    kind: 'build',
    buildId,
    repositoryId: 42,
    cloneUrl: source.cloneUrl,
    sha,
    spec: {
      kind: 'dockerfile',
      context: '.',
      dockerfile: 'Dockerfile',
      target: null,
      args: {},
      timeoutMs: 60_000,
      ...spec,
    },
    imageName: `${registry.host}/acme/app/web`,
    registry: seals.registry(registry.host, user),
    sealedSourceToken: seals.sourceToken({ workItemId: workId, attempt: 1 }, source.token),
    limits: { cpuMillis: 1_000, memoryBytes: 256 * 1024 ** 2 },
    maxLogBytes: 1024 ** 2,
    ...change,
  }));
  return { workId, buildId };
}

const build = async (sha: string, change: Partial<BuildOrder> = {}, spec: Partial<BuildOrder['spec']> = {}) => {
  const { workId, buildId } = offer(sha, change, spec);
  const outcome = await plane.outcome(workId);
  return { outcome, buildId, log: () => (plane.logs.get(`build:${buildId}`) ?? []).map(({ text }) => text) };
};
const failed = (outcome: BuildOutcome): Extract<BuildOutcome, { kind: 'failed' }> => {
  if (outcome.kind !== 'failed') throw new Error(`The build did not fail: ${JSON.stringify(outcome)}`);
  return outcome;
};

describe('a build', () => {
  it('fetches the exact commit, builds and pushes it, and tells the ports and the log', async () => {
    const sha = await source.commit(repository(['RUN echo compiling', 'EXPOSE 8080 53/udp', 'CMD ["/bin/sh"]']));
    await source.commit(repository(['RUN echo a newer one']));
    const { outcome, log } = await build(sha);
    expect(outcome).toMatchObject({ kind: 'succeeded', exposedPorts: [8080] });
    const digest = outcome.kind === 'succeeded' ? outcome.imageDigest : '';
    await vi.waitFor(() => expect(log().at(-1)).toBe(`Built and pushed ${digest}`));
    expect(log().join('\n')).toMatch(/Fetching [0-9a-f]{40}[^]*RUN echo compiling[^]*\ncompiling\n/);
    const authorization = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
    const manifest = await fetch(`http://${registry.host}/v2/acme/app/web/manifests/${digest}`, {
      headers: { authorization, accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect(manifest.status).toBe(200);
  });

  it('keeps every line of a step that says much at once', async () => {
    const line = '0123456789'.repeat(9);
    const sha = await source.commit(repository([`RUN busybox yes ${line} | head -n 40000`]));
    const { outcome, log } = await build(sha, { maxLogBytes: 10_000_000 });
    expect(outcome.kind).toBe('succeeded');
    await vi.waitFor(() => expect(log().at(-1)).toMatch(/^Built and pushed/), { timeout: 20_000 });
    expect(log().filter((said) => /clipped|left out/.test(said))).toEqual([]);
    expect(log().filter((said) => said === line)).toHaveLength(40_000);
  });

  it('says which line of the Dockerfile failed, with the last lines', async () => {
    const sha = await source.commit(repository(['RUN echo fine', 'RUN echo the compiler is missing && exit 3']));
    const outcome = failed((await build(sha)).outcome);
    expect(outcome).toMatchObject({ code: 'step_failed', annotations: [{ path: 'Dockerfile', line: 4, endLine: 4 }] });
    expect(outcome.message).toMatch(/exited with code 3/);
    expect(outcome.logTail.join('\n')).toContain('the compiler is missing');
  });

  it('P65: the token and the password are in no argument, no file, no layer and no log', async () => {
    const sha = await source.commit(repository(['COPY . /everything', 'RUN env; echo done', 'CMD ["/bin/sh"]']));
    const canaries = [source.token, Buffer.from(`x-access-token:${source.token}`).toString('base64'), user.password];
    const seen: string[] = [];
    source.onFetch = () => Promise.resolve(void seen.push(...commandLines()));
    const { outcome, buildId } = await build(sha);
    source.onFetch = () => Promise.resolve();
    expect(outcome.kind).toBe('succeeded');
    expect(seen.some((line) => line.includes('git') && line.includes('fetch'))).toBe(true);
    await vi.waitFor(() => expect(plane.logs.get(`build:${buildId}`)?.at(-1)?.text).toMatch(/^Built and pushed/));
    const places = {
      arguments: seen.join('\n'),
      logs: JSON.stringify([...plane.logs]),
      reports: JSON.stringify(plane.reports),
    };
    for (const canary of canaries) {
      for (const [place, text] of Object.entries(places)) expect(text, place).not.toContain(canary);
      expect(await filesWith(canary, one.dataDir), 'data directory').toBe('');
      expect(await filesWith(canary, registry.storage), 'layers').toBe('');
    }
    expect(source.authorizations.length).toBeGreaterThan(0);
  });

  it('masks a secret that a step prints', async () => {
    const sha = await source.commit(repository([`RUN echo the token is ${source.token}`]));
    const { outcome, log } = await build(sha);
    expect(outcome.kind).toBe('succeeded');
    await vi.waitFor(() => expect(log()).toContain('the token is ***'));
    expect(log().join('\n')).not.toContain(source.token);
  });

  it.each([
    ['a Dockerfile that links out of the repository', 'Dockerfile', '/etc/passwd', 'dockerfile_missing'],
    ['a Dockerfile that links upwards', 'Dockerfile', '../../../../etc/passwd', 'dockerfile_missing'],
    ['a context that links out of the repository', 'context', '/etc', 'context_invalid'],
  ])('P69: refuses %s', async (_what, name, target, code) => {
    const sha = await source.commit((folder) => symlink(target, path.join(folder, name)));
    const context = name === 'context' ? 'context' : '.';
    expect(failed((await build(sha, {}, { context })).outcome).code).toBe(code);
  });

  it('P69: sends a link of the context as a link, and leaves submodules out with a note', async () => {
    const sha = await source.commit(async (folder) => {
      await repository(['COPY leak /leak', 'RUN cat /leak'])(folder);
      await symlink('/etc/hostname', path.join(folder, 'leak'));
      await mkdir(path.join(folder, 'vendored'));
      await source.git(['update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},vendored`], folder);
    });
    const { outcome, log } = await build(sha);
    expect(failed(outcome).code).toBe('step_failed');
    await vi.waitFor(() => expect(log()).toContain('Submodule vendored is not fetched; its directory is empty.'));
  });

  it('says that there is no Dockerfile', async () => {
    const sha = await source.commit((folder) => writeFile(path.join(folder, 'README.md'), 'hello'));
    expect(failed((await build(sha)).outcome)).toMatchObject({ code: 'dockerfile_missing' });
  });

  it('says that the commit cannot be fetched', async () => {
    const outcome = failed((await build('f'.repeat(40))).outcome);
    expect(outcome.code).toBe('source_unavailable');
    expect(outcome.message).toMatch(/^Commit ffffffffffff could not be fetched from http/);
  });

  it('says that the registry refuses the password', async () => {
    const sha = await source.commit(repository(['RUN echo 1']));
    const wrong = { username: user.username, password: 'wrong' };
    const outcome = failed((await build(sha, { registry: plane.seals().registry(registry.host, wrong) })).outcome);
    expect(outcome).toMatchObject({ code: 'registry_refused' });
    expect(outcome.message).toContain(registry.host);
  });

  it('stops a build that never ends at its time limit', async () => {
    const sha = await source.commit(repository(['RUN sleep 300']));
    const outcome = failed((await build(sha, {}, { timeoutMs: 2_500 })).outcome);
    expect(outcome).toMatchObject({
      code: 'timed_out',
      message: 'The build took longer than 3 seconds and was stopped.',
    });
    await vi.waitFor(() => expect(commandLines()).not.toContain('sleep 300'), { timeout: 10_000 });
  });

  it('P80: runs steps in a cgroup with the limits of the order, and ends a build that is cancelled', async () => {
    const sha = await source.commit(repository(['RUN sleep 299']));
    plane.leaseMs = 1_500;
    const { workId } = offer(sha, { limits: { cpuMillis: 500, memoryBytes: 128 * 1024 ** 2 } });
    await vi.waitFor(() => expect(commandLines()).toContain('sleep 299'), { timeout: 20_000 });
    const cgroup = `/landfall-${instanceName(one.dataDir)}-builds/steps`;
    expect(await limitsOf(cgroup)).toEqual({ memory: String(128 * 1024 ** 2), cpu: '50000' });
    plane.cancel = 'superseded';
    expect(await plane.outcome(workId)).toEqual({ kind: 'cancelled', code: 'superseded' });
    plane.cancel = null;
    await vi.waitFor(() => expect(commandLines()).not.toContain('sleep 299'), { timeout: 10_000 });
  });

  it('P80: says that a build used more memory than it may', async () => {
    const sha = await source.commit(repository(['RUN head -c 300000000 /dev/zero | tail']));
    const outcome = failed((await build(sha, { limits: { cpuMillis: 1_000, memoryBytes: 64 * 1024 ** 2 } })).outcome);
    expect(outcome.code).toBe('out_of_memory');
    expect(outcome.message).toMatch(/used more than its 64 MiB of memory/);
  });

  it('runs no step again that has not changed, and keeps its layers in the registry for other nodes', async () => {
    const change = (text: string) => async (folder: string) => {
      await repository(['RUN echo slow > /slow', 'COPY text /text'])(folder);
      await writeFile(path.join(folder, 'text'), text);
    };
    const imageName = `${registry.host}/acme/app/cached`;
    await build(await source.commit(change('one')), { imageName });
    const { log } = await build(await source.commit(change('two')), { imageName });
    await vi.waitFor(() => expect(log().join('\n')).toMatch(/CACHED \[2\/3\] RUN echo slow/));
    const url = `http://${registry.host}/v2/acme/app/cached/manifests/buildcache`;
    const authorization = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
    const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
    await vi.waitFor(async () => expect((await fetch(url, { headers: { authorization, accept } })).status).toBe(200), {
      timeout: 20_000,
      interval: 200,
    });
    await vi.waitFor(async () => expect(await readdir(path.join(one.dataDir, 'sources'))).toEqual([]));

    // A node that has built nothing yet.
    await one.agent.stop();
    await rm(path.join(one.dataDir, 'buildkit'), { recursive: true, force: true });
    const heard = plane.reports.length;
    one = { ...one, ...(await startTestAgent(plane, one.options)) };
    await plane.reported((r) => plane.reports.length > heard && r.capabilities.includes('build'), 30_000);
    const elsewhere = await build(await source.commit(change('three')), { imageName });
    expect(elsewhere.outcome.kind).toBe('succeeded');
    await vi.waitFor(() => expect(elsewhere.log().join('\n')).toMatch(/CACHED \[2\/3\] RUN echo slow/));
  });

  it('makes as many builds at once as the machine is good for', async () => {
    const sha = await source.commit(repository(['RUN sleep 1']));
    const offers = [offer(sha), offer(sha), offer(sha)];
    for (const { workId } of offers) expect((await plane.outcome(workId)).kind).toBe('succeeded');
    expect(
      plane.claims
        .slice(-3)
        .map(({ workId }) => workId)
        .sort(),
    ).toEqual(offers.map(({ workId }) => workId).sort());
  });
});

/** Of this agent, with what it runs and what runs in its builds. */
const commandLines = (): string[] => processesOf(one.dataDir).map(lineOf);

/** Names of the files below a directory that hold a text. */
async function filesWith(text: string, directory: string): Promise<string> {
  const argv = [
    'grep',
    '--recursive',
    '--fixed-strings',
    '--files-with-matches',
    '--binary-files=text',
    '-e',
    text,
    directory,
  ];
  return (await run({ argv, env: { PATH: '/usr/bin:/bin' }, deadlineMs: 60_000 })).stdout;
}

async function limitsOf(cgroup: string): Promise<{ memory: string; cpu: string }> {
  const read = async (...parts: string[]): Promise<string> =>
    (await readFile(path.join('/sys/fs/cgroup', ...parts), 'utf8')).trim();
  if ((await cgroupVersion()) === 1) {
    return {
      memory: await read('memory', cgroup, 'memory.limit_in_bytes'),
      cpu: await read('cpu', cgroup, 'cpu.cfs_quota_us'),
    };
  }
  return { memory: await read(cgroup, 'memory.max'), cpu: (await read(cgroup, 'cpu.max')).split(' ')[0] ?? '' };
}
