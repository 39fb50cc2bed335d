import { cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { useRegistry } from '../test/agent/suite.ts';
import { part } from '../test/parts.ts';
import { agentEnvironment } from '../platform/config/agent.ts';
import { run } from './process/run.ts';
import { instanceName } from './storage/instance.ts';
import { startAgentProcess, type AgentProcess } from './testing/agent-process.ts';
import { startTestAgent, testDirectory } from './testing/agent.ts';
import { containerOf, expectedContainer, startControlPlane, type TestControlPlane } from './testing/control-plane.ts';
import { startGitServer, type TestGitServer } from './testing/git-server.ts';
import { pushBusyboxImage } from './testing/image.ts';
import { leftBehind, nothing } from './testing/machine.ts';
import { reserveNetwork, type TestNetwork } from './testing/network.ts';
import { lineOf, processesOf } from './testing/processes.ts';

const user = { username: 'puller', password: 'correct horse' };
const registry = useRegistry(user);
let source: TestGitServer;
let network: TestNetwork;
let plane: TestControlPlane;
let image: string;
let busybox: string;
let buildkitd: string;

beforeAll(async () => {
  [busybox, buildkitd] = await Promise.all([part('busybox'), part('buildkitd')]);
  source = await startGitServer();
  const base = { host: registry.host, repository: 'test/web', user, busybox, exposedPorts: [] };
  image = await pushBusyboxImage({ ...base, marker: 'one' });
});

afterAll(async () => {
  await source.stop();
});

const commandLines = (dataDir: string): string[] => processesOf(dataDir).map(lineOf);

/** Containers and steps of this agent that the machine's container runtime keeps a folder of. */
async function runtimeStates(dataDir: string): Promise<string[]> {
  const root = '/run/runc';
  const names = await readdir(root).catch(() => []);
  const states = names.map((name) => path.join(root, name, 'state.json'));
  // Others of this machine come and go meanwhile.
  const texts = await Promise.all(states.map((file) => readFile(file, 'utf8').catch(() => '')));
  return names.filter((_name, index) => texts[index]?.includes(dataDir));
}

const processes: AgentProcess[] = [];
const launch = async (flags: readonly string[]): Promise<AgentProcess> => {
  const started = await startAgentProcess(flags);
  processes.push(started);
  return started;
};
// A test that failed leaves its agents to be ended here.
afterEach(() => processes.splice(0).forEach(({ signal }) => signal('SIGKILL')));

/** A control plane that expects one container. */
async function expectOne() {
  network = await reserveNetwork();
  plane = await startControlPlane(network);
  const container = expectedContainer({
    ...{
      image,
      ip: network.address(10),
      command: ['/bin/sh', '-c', 'mkdir -p /www; exec httpd -f -p 8080 -h /www'],
    },
    health: { kind: 'tcp', intervalMs: 200, timeoutMs: 1_000, graceMs: 5_000, healthyAfter: 1, unhealthyAfter: 3 },
  });
  return {
    container,
    healthy: async () => {
      plane.expect({
        containers: [container],
        registries: [plane.seals().registry(registry.host, user)],
      });
      const report = await plane.reported((r) => containerOf(r, container.allocationId)?.health === 'healthy', 60_000);
      return containerOf(report, container.allocationId);
    },
  };
}

const flags = (dataDir: string, ...more: string[]): string[] => [
  ...['--url', plane.url, '--token', plane.token, '--data', dataDir, '--bridge', network.bridge, ...more],
];

describe('an agent that is ephemeral', () => {
  it('leaves nothing behind but its data, and is quick the second time', async () => {
    const dataDir = await testDirectory();
    const { healthy } = await expectOne();
    const first = await launch(flags(dataDir, '--ephemeral', '--buildkitd', buildkitd));
    await healthy();
    first.signal('SIGTERM');
    expect(await first.exited, first.output()).toBe(0);
    expect(await leftBehind(dataDir, network.bridge)).toEqual(nothing);
    const pulls = plane.reports.filter(({ containers }) => containers.some(({ state }) => state === 'pulling')).length;
    const second = await launch(flags(dataDir, '--ephemeral', '--buildkitd', buildkitd));
    await healthy();
    expect(plane.reports.filter(({ containers }) => containers.some(({ state }) => state === 'pulling'))).toHaveLength(
      pulls,
    );
    second.signal('SIGINT');
    expect(await second.exited, second.output()).toBe(0);
    expect(await leftBehind(dataDir, network.bridge)).toEqual(nothing);
    await plane.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('takes every process with it when it is killed in the middle of a build, and the next attempt is clean', async () => {
    const dataDir = await testDirectory();
    const { healthy, container } = await expectOne();
    const first = await launch(flags(dataDir, '--ephemeral', '--buildkitd', buildkitd));
    await healthy();
    await plane.reported(({ capabilities }) => capabilities.includes('build'), 30_000);
    const slow = await source.commit(repository(['RUN sleep 298']));
    offerBuild(slow, 1);
    await vi.waitFor(() => expect(commandLines(dataDir)).toContain('sleep 298'), {
      timeout: 30_000,
      interval: 100,
    });
    first.signal('SIGKILL');
    await first.exited;
    await vi.waitFor(async () => {
      const { processes, mounts } = await leftBehind(dataDir, network.bridge);
      expect({ processes, mounts }).toEqual({ processes: [], mounts: [] });
    });
    expect(plane.outcomes.size).toBe(0);
    expect(await runtimeStates(dataDir)).toEqual([]);

    const second = await launch(flags(dataDir, '--ephemeral', '--buildkitd', buildkitd));
    await vi.waitFor(() => expect(containerOf(plane.reports.at(-1)!, container.allocationId)?.health).toBe('healthy'), {
      timeout: 30_000,
    });
    offerBuild(await source.commit(repository(['RUN echo quick'])), 2);
    expect(await plane.outcome('work')).toMatchObject({ kind: 'succeeded' });
    await ended(second);
    expect(await leftBehind(dataDir, network.bridge)).toEqual(nothing);
    await plane.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('refuses to start beside another on the same data', async () => {
    const dataDir = await testDirectory();
    const { healthy } = await expectOne();
    const one = await startTestAgent(plane, { dataDir, bridge: network.bridge });
    await healthy();
    const second = await launch(flags(dataDir, '--ephemeral', '--no-build'));
    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(
      /Another agent \(process \d+\) uses .* Stop it, or start this one with another --data/,
    );
    await one.end();
    await plane.stop();
  });
});

describe('an agent on a server', () => {
  it('leaves containers alone when it stops, and knows them again', async () => {
    const dataDir = await testDirectory();
    const { healthy, container } = await expectOne();
    const kept = {
      dataDir,
      bridge: network.bridge,
      engine: { kind: 'supervised', lifetime: 'outlives_agent' },
    } as const;
    const first = await startTestAgent(plane, kept);
    const before = await healthy();
    await first.agent.stop();
    expect(commandLines(dataDir)).toContain('httpd -f -p 8080 -h /www');
    const second = await startTestAgent(plane, kept);
    const heard = plane.reports.length;
    const report = await plane.reported(
      (r) => plane.reports.length > heard && containerOf(r, container.allocationId)?.health === 'healthy',
    );
    expect(containerOf(report, container.allocationId)).toMatchObject({
      containerId: before?.containerId,
      restarts: 0,
      startedAt: before?.startedAt,
    });
    plane.expect({ containers: [] });
    await plane.reported((r) => r.converged && r.containers.length === 0);
    await second.engine.removeNetwork('landfall');
    await second.agent.stop();
    // A container's monitor has Podman tidy up after it, also when it was removed meanwhile.
    await vi.waitFor(() => expect(commandLines(dataDir)).toEqual([]), { timeout: 10_000 });
    // The engine keeps its storage mounted, as on any server, unless that was the last to use it.
    const storage = path.join(dataDir, 'containers', 'overlay');
    if ((await readFile('/proc/self/mounts', 'utf8')).includes(storage)) await command('umount', storage);
    await rm(path.join('/run', `landfall-${instanceName(dataDir)}`), { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
    expect(await leftBehind(dataDir, network.bridge)).toMatchObject({
      processes: [],
      bridge: false,
    });
    await plane.stop();
  });
});

async function command(...argv: string[]): Promise<void> {
  expect(await run({ argv, env: agentEnvironment().variables, deadlineMs: 10_000 })).toMatchObject({ code: 0 });
}

const repository = (dockerfile: readonly string[]) => async (folder: string) => {
  await mkdir(path.join(folder, 'bin'));
  await cp(busybox, path.join(folder, 'bin', 'busybox'));
  for (const name of ['sh', 'sleep']) await symlink('busybox', path.join(folder, 'bin', name));
  await writeFile(path.join(folder, 'Dockerfile'), ['FROM scratch', 'COPY bin /bin', ...dockerfile, ''].join('\n'));
};

function offerBuild(sha: string, attempt: number): void {
  plane.offerBuild({ workId: 'work', kind: 'build', attempt, status: 'offered', cancel: null }, (seals) => ({
    kind: 'build',
    buildId: 'build',
    repositoryId: 7,
    cloneUrl: source.cloneUrl,
    sha,
    spec: { kind: 'dockerfile', context: '.', dockerfile: 'Dockerfile', target: null, args: {}, timeoutMs: 600_000 },
    imageName: `${registry.host}/acme/app/web`,
    registry: seals.registry(registry.host, user),
    sealedSourceToken: seals.sourceToken({ workItemId: 'work', attempt }, source.token),
    limits: { cpuMillis: 1_000, memoryBytes: 256 * 1024 ** 2 },
    maxLogBytes: 1024 ** 2,
  }));
}

async function ended(agent: AgentProcess): Promise<void> {
  agent.signal('SIGTERM');
  expect(await agent.exited, agent.output()).toBe(0);
}
