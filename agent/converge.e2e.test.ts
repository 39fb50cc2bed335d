import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ExpectedContainer } from '../core/contract/expected-state.ts';
import type { StatusReport } from '../core/contract/status.ts';
import type { HealthCheck } from '../core/spec/service.ts';
import { escapes } from '../test/hostile/archive.ts';
import { hostileWords } from '../test/hostile/names.ts';
import { useRegistry } from '../test/agent/suite.ts';
import { part } from '../test/parts.ts';
import { startTestAgent, type TestAgent } from './testing/agent.ts';
import { containerOf, expectedContainer, startControlPlane, type TestControlPlane } from './testing/control-plane.ts';
import { pushBusyboxImage } from './testing/image.ts';
import { reserveNetwork, type TestNetwork } from './testing/network.ts';
import { lineOf, processesOf } from './testing/processes.ts';

const user = { username: 'puller', password: 'correct horse' };
const id = expectedContainer({ image: '', ip: '' }).allocationId;
const registry = useRegistry(user);
let network: TestNetwork;
let plane: TestControlPlane;
let one: TestAgent;
let image: string;

beforeAll(async () => {
  const base = { host: registry.host, repository: 'test/web', user, busybox: await part('busybox'), exposedPorts: [] };
  image = await pushBusyboxImage({ ...base, marker: 'one' });
  network = await reserveNetwork();
  plane = await startControlPlane(network);
  one = await startTestAgent(plane, { bridge: network.bridge, limits: { passMs: 10_000, actionMs: 3_000 } });
  plane.expect({ registries: [plane.seals().registry(registry.host, user)] });
});

afterAll(async () => {
  await one.end();
  await plane.stop();
});

const served = async (ip: string): Promise<string> => (await fetch(`http://${ip}:8080/`)).text();
const shell = (script: string): Pick<ExpectedContainer, 'command'> => ({ command: ['/bin/sh', '-c', script] });
const web = (change: Partial<ExpectedContainer> = {}): ExpectedContainer =>
  expectedContainer({ image, ip: network.address(10), ...change });
const other = (change: Partial<ExpectedContainer> = {}): ExpectedContainer =>
  web({
    allocationId: '01900000-0000-7000-8000-00000000a002',
    serviceId: '01900000-0000-7000-8000-00000000b002',
    serviceName: 'other',
    ip: network.address(11),
    ...change,
  });
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
/** Processes of this agent: its containers, their monitors, the programs it runs. */
const pidsOf = (line: RegExp): number[] =>
  processesOf(one.dataDir)
    .filter((process) => line.test(lineOf(process)))
    .map(({ pid }) => pid);
const server = /^httpd -f -p 8080 -h \/www$/;
const healthy = (allocationId: string) => (report: StatusReport) =>
  containerOf(report, allocationId)?.health === 'healthy';

describe('an agent', () => {
  it('pulls, starts and reports a healthy container', async () => {
    plane.expect({ containers: [web()] });
    const report = await plane.reported(healthy(id));
    expect(containerOf(report, id)).toMatchObject({ state: 'running', ip: network.address(10), image, restarts: 0 });
    expect(await served(network.address(10))).toBe('hello\n');
    expect(plane.reports.some((r) => containerOf(r, id)?.state === 'pulling')).toBe(true);
    expect(plane.refusals).toEqual([]);
  });

  it('gives the container its limits, and only the capabilities that images commonly need', async () => {
    const [pid] = pidsOf(server);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10
    expect(status).toMatch(/^CapBnd:\t00000000000004eb$/m);
    const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8');
    const memory = /^\d+:memory:(.*)$/m.exec(cgroup)?.[1] ?? /^0::(.*)$/m.exec(cgroup)?.[1];
    expect(memory).toMatch(/^\/landfall-/);
  });

  it('starts a crashed container again within a second', async () => {
    const [pid] = pidsOf(server);
    const killedAt = Date.now();
    process.kill(pid!, 'SIGKILL');
    const report = await plane.reported((r) => containerOf(r, id)?.restarts === 1 && healthy(id)(r));
    expect(Date.parse(containerOf(report, id)?.startedAt ?? '') - killedAt).toBeLessThan(1_000);
    expect(await served(network.address(10))).toBe('hello\n');
  });

  it('P15: deploys a container anew when anything in its spec has changed', async () => {
    plane.expect({
      containers: [
        web({
          specDigest: digest('2'),
          env: { GREETING: 'changed' },
          ...shell('mkdir -p /www; echo $GREETING > /www/index.html; exec httpd -f -p 8080 -h /www'),
        }),
      ],
    });
    await plane.reported((r) => containerOf(r, id)?.specDigest === digest('2') && healthy(id)(r));
    expect(await served(network.address(10))).toBe('changed\n');
  });

  it('hands a service its secrets, and shows them nowhere', async () => {
    const canary = 'canary-7f3a9c1e5b';
    const sealedSecrets = plane.seals().secrets(web().serviceId, { API_KEY: canary });
    const script =
      'echo key is $API_KEY; mkdir -p /www; echo $API_KEY > /www/index.html; exec httpd -f -p 8080 -h /www';
    plane.expect({ containers: [web({ specDigest: digest('3'), sealedSecrets, ...shell(script) })] });
    await plane.reported((r) => containerOf(r, id)?.specDigest === digest('3') && healthy(id)(r));
    expect(await served(network.address(10))).toBe(`${canary}\n`);
    for (const file of ['expected-state.json', 'identity.json', 'log-cursors.json']) {
      const content = await readFile(path.join(one.dataDir, file), 'utf8').catch(() => '');
      expect(content).not.toContain(canary);
    }
    await waitForLog(`allocation:${id}`, 'key is ***');
    expect(JSON.stringify([...plane.logs])).not.toContain(canary);
    expect(JSON.stringify(plane.reports)).not.toContain(canary);
  });

  it('P65: shows no part of a secret in a line that the engine writes in pieces', async () => {
    const canary = 'canary-7f3a9c1e5b';
    const service = other({ specDigest: digest('b') });
    const sealedSecrets = plane.seals().secrets(service.serviceId, { API_KEY: canary });
    // The engine reads 8,192 bytes at once.
    const script = "printf '%16376s%s\\n' '' $API_KEY; printf '%8184s%s' '' $API_KEY; exit 7";
    plane.expect({ containers: [web(), { ...service, sealedSecrets, ...shell(script) }] });
    const { allocationId } = service;
    const report = await plane.reported((r) => (containerOf(r, allocationId)?.lastLog.length ?? 0) > 0);
    await waitForLog(`allocation:${allocationId}`, `${' '.repeat(16_376)}***`);
    const all = `${JSON.stringify([...plane.logs])} ${JSON.stringify(report)}`;
    for (let at = 0; at + 5 <= canary.length; at += 1) expect(all).not.toContain(canary.slice(at, at + 5));
    plane.expect({ containers: [web()] });
    await waitForLog(`allocation:${allocationId}`, `${' '.repeat(8_184)}***`);
  });

  it('ships what a container says when it is asked to stop, though it is removed then', async () => {
    const script = "trap 'echo asked to stop; printf bye >&2; exit 0' TERM; echo serving; sleep 1000 & wait";
    const service = other({ specDigest: digest('c'), ...shell(script) });
    plane.expect({ containers: [web(), service] });
    await waitForLog(`allocation:${service.allocationId}`, 'serving');
    plane.expect({ containers: [web()] });
    await waitForLog(`allocation:${service.allocationId}`, 'bye');
    expect(saidBy(service.allocationId).slice(-3)).toEqual(['serving', 'asked to stop', 'bye']);
  });

  it('P66: hands a container its arguments and variables as they are, whatever they look like', async () => {
    const env = Object.fromEntries(hostileWords.map((word, index) => [`WORD_${index}`, word]));
    const names = Object.keys(env).map((name) => `"$${name}"`);
    const script = `mkdir -p /www; printf '%s\\0' "$@" ${names.join(' ')} > /www/index.html; exec httpd -f -p 8080 -h /www`;
    const hostile = { env, command: ['/bin/sh', '-c', script, ...hostileWords] };
    plane.expect({ containers: [web({ specDigest: digest('a'), ...hostile })] });
    await plane.reported((r) => containerOf(r, id)?.specDigest === digest('a') && healthy(id)(r));
    const said = (await served(network.address(10))).split('\0').slice(0, -1);
    // The first is the name of the script.
    expect(said).toEqual([...hostileWords.slice(1), ...hostileWords]);
  });

  it('removes what nothing expects, and leaves what is not ours alone', async () => {
    const r_limits = (['nofile', 'nproc'] as const).map((type) => ({ type, soft: 256, hard: 256 }));
    const foreign = await one.engine.create({ name: 'foreign', image, entrypoint: ['/bin/sleep', '1000'], r_limits });
    await one.engine.start(foreign);
    plane.expect({ containers: [] });
    await plane.reported((r) => r.converged && r.containers.length === 0);
    expect((await one.engine.inspect(foreign))?.State.Status).toBe('running');
    await one.engine.remove(foreign);
  });

  it('P02, P03: a killed container serves again while others take their whole grace to stop, longer than an action may', async () => {
    const script = "trap 'echo asked to stop' TERM; echo serving; while true; do sleep 1000 & wait; done";
    const stubborn = ['1', '2', '3', '4'].map((digit) =>
      other({
        allocationId: `01900000-0000-7000-8000-00000000a01${digit}`,
        ip: network.address(20 + Number(digit)),
        stopGraceMs: 6_000,
        ...shell(script),
      }),
    );
    const named = (report: StatusReport) =>
      stubborn.map(({ allocationId }) => containerOf(report, allocationId)?.state ?? 'gone');
    plane.expect({ containers: [web(), ...stubborn] });
    const before = await plane.reported(
      (r) => healthy(id)(r) && named(r).every((state) => state === 'running') && r.converged,
    );
    for (const { allocationId } of stubborn) await waitForLog(`allocation:${allocationId}`, 'serving');
    const heard = plane.reports.length;
    plane.expect({ containers: [web()] });
    for (const { allocationId } of stubborn) await waitForLog(`allocation:${allocationId}`, 'asked to stop');
    process.kill(pidsOf(server)[0]!, 'SIGKILL');
    const restarts = containerOf(before, id)?.restarts ?? 0;
    const healed = await plane.reported((r) => containerOf(r, id)?.restarts === restarts + 1 && healthy(id)(r));
    expect(named(healed)).toEqual(stubborn.map(() => 'running'));
    expect(await served(network.address(10))).toBe('hello\n');
    const after = await plane.reported((r) => r.converged && r.containers.length === 1);
    const since = plane.reports.slice(heard);
    expect(new Set(since.flatMap(named))).toEqual(new Set(['running', 'gone']));
    expect(after.phase).toBe('idle');
    const results = since.flatMap(({ actions }) => actions).filter(({ kind }) => kind === 'stop_orphan');
    expect(new Set(results.map(({ subject }) => subject)).size).toBe(stubborn.length);
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
  });

  it('P22: replaces a container whose process and monitor are gone though the engine calls it running', async () => {
    plane.expect({ containers: [web()] });
    const before = await plane.reported(healthy(id));
    const containerId = containerOf(before, id)?.containerId ?? '';
    const [monitor] = pidsOf(new RegExp(`conmon.* -c ${containerId} `));
    const [pid] = pidsOf(server);
    process.kill(monitor!, 'SIGKILL');
    process.kill(pid!, 'SIGKILL');
    const after = await plane.reported((r) => {
      const container = containerOf(r, id);
      return container?.containerId !== containerId && container?.health === 'healthy';
    }, 30_000);
    expect(containerOf(after, id)?.state).toBe('running');
    expect(await served(network.address(10))).toBe('hello\n');
  });

  it('P69: an image that is pulled writes nothing outside of the engine’s storage', async () => {
    const outside = path.join(one.dataDir, 'outside', 'file');
    await mkdir(path.dirname(outside), { recursive: true });
    const base = { host: registry.host, repository: 'test/hostile', user, busybox: await part('busybox') };
    for (const [name, further] of Object.entries(escapes(outside, 'overwritten'))) {
      await writeFile(outside, 'as it was');
      const hostile = await pushBusyboxImage({ ...base, exposedPorts: [], marker: 'hostile', further });
      const pull = { image: hostile, insecure: true, credentials: user, signal: AbortSignal.timeout(10_000) };
      // Refused, or unpacked as if the image were all there is.
      await one.engine.pull(pull).catch((error: unknown) => expect(error, name).toMatchObject({ code: 'pull_failed' }));
      expect([name, await readdir(path.dirname(outside)), await readFile(outside, 'utf8')]).toEqual([
        name,
        ['file'],
        'as it was',
      ]);
    }
  });

  it('goes on when the engine’s API service is killed, without harm to containers', async () => {
    const before = containerOf(await plane.reported(healthy(id)), id);
    const [service] = pidsOf(/^podman .* system service /);
    process.kill(service!, 'SIGKILL');
    const heard = plane.reports.length;
    plane.expect({ containers: [web(), other()] });
    await plane.reported((r) => plane.reports.length > heard && healthy(other().allocationId)(r), 30_000);
    const after = plane.reports.at(-1)!;
    expect(containerOf(after, id)).toMatchObject({ containerId: before?.containerId, startedAt: before?.startedAt });
    plane.expect({ containers: [web()] });
    await plane.reported((r) => r.converged && r.containers.length === 1);
  });

  it('reports a container that exits at once with its code and last lines, and serves the others', async () => {
    plane.expect({ containers: [web(), other(shell('echo about to fail; echo no database >&2; exit 7'))] });
    const report = await plane.reported((r) => (containerOf(r, other().allocationId)?.restarts ?? 0) >= 2);
    const failed = containerOf(report, other().allocationId);
    expect(failed).toMatchObject({ detailCode: 'exited', exitCode: 7, detail: 'The container exited with code 7.' });
    expect(failed?.lastLog.slice(-2)).toEqual(['about to fail', 'no database']);
    expect(containerOf(report, id)?.health).toBe('healthy');
  });

  it('reports a container that never answers its port as unhealthy, with its last lines', async () => {
    const check = {
      kind: 'tcp',
      intervalMs: 100,
      timeoutMs: 10_000,
      graceMs: 0,
      healthyAfter: 1,
      unhealthyAfter: 2,
    } as const;
    const silent = other({
      specDigest: digest('4'),
      health: check,
      ...shell('echo listening on the wrong port; exec sleep 1000'),
    });
    plane.expect({ containers: [web(), silent] });
    const report = await plane.reported((r) => containerOf(r, silent.allocationId)?.health === 'unhealthy');
    const container = containerOf(report, silent.allocationId);
    expect(container).toMatchObject({ state: 'running', detailCode: 'health_failed' });
    expect(container?.detail).toMatch(/tcp check on port 8080 failed: .*ECONNREFUSED/);
    expect(container?.lastLog).toEqual(['listening on the wrong port']);
  });

  it('runs a command inside for a command check', async () => {
    const check = { intervalMs: 100, timeoutMs: 5_000, graceMs: 0, healthyAfter: 1, unhealthyAfter: 1 };
    const command = (script: string): HealthCheck => ({
      ...check,
      kind: 'command',
      command: ['/bin/sh', '-c', script],
    });
    plane.expect({
      containers: [other({ specDigest: digest('5'), health: command('exit 3'), ...shell('exec sleep 1000') })],
    });
    const failing = await plane.reported((r) => {
      const container = containerOf(r, other().allocationId);
      return container?.specDigest === digest('5') && container.health === 'unhealthy';
    });
    expect(containerOf(failing, other().allocationId)?.detail).toBe('/bin/sh -c exit 3 exited with 3.');
    plane.expect({
      containers: [other({ specDigest: digest('6'), health: command('exit 0'), ...shell('exec sleep 1000') })],
    });
    await plane.reported(healthy(other().allocationId));
  });

  it('says that the registry refuses the password, and serves the others (P02)', async () => {
    const wrong = plane.seals().registry(registry.host, { username: 'puller', password: 'wrong' });
    const right = plane.seals().registry(registry.host, user);
    const unknown = image.replace(/@.*/, `@${digest('e')}`);
    plane.expect({
      registries: [wrong],
      containers: [web(), other({ specDigest: digest('7'), image: unknown })],
    });
    const report = await plane.reported((r) => containerOf(r, other().allocationId)?.detailCode === 'registry_refused');
    expect(containerOf(report, other().allocationId)?.detail).toBe(
      `The registry ${registry.host} does not let this node pull as puller (401). Check the registry's credentials.`,
    );
    await plane.reported(healthy(id));
    expect(report.actions.find(({ ok }) => !ok)?.retryAt).not.toBeNull();
    plane.expect({
      registries: [right],
      containers: [web()],
    });
    await plane.reported((r) => r.converged);
  });

  it('P03: cancels a pull that hangs at its deadline, and goes on', async () => {
    const silent: Server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const host = `127.0.0.1:${port}`;
    plane.expect({
      containers: [
        other({ specDigest: digest('8'), image: `${host}/test/web@${digest('a')}` }),
        web({ specDigest: digest('9') }),
      ],
    });
    const report = await plane.reported(
      (r) => containerOf(r, other().allocationId)?.detailCode === 'pull_failed',
      30_000,
    );
    expect(containerOf(report, other().allocationId)?.detail).toMatch(/took longer than 3000 ms and was cancelled/);
    await plane.reported((r) => containerOf(r, id)?.specDigest === digest('9') && healthy(id)(r));
    silent.close();
    plane.expect({ containers: [web()] });
    await plane.reported((r) => r.converged);
  });

  it('heals while the control plane is away, also after it was started anew', async () => {
    await plane.reported(healthy(id));
    await plane.goAway();
    const [pid] = pidsOf(server);
    process.kill(pid!, 'SIGKILL');
    await eventually(async () => expect(await served(network.address(10))).toBe('hello\n'));
    await one.agent.stop();
    expect(pidsOf(server)).toEqual([]);
    one = { ...one, ...(await startTestAgent(plane, one.options)) };
    await eventually(async () => expect(await served(network.address(10))).toBe('hello\n'));
    await plane.comeBack();
    const heard = plane.reports.length;
    await plane.reported((r) => plane.reports.length > heard && r.converged && healthy(id)(r), 40_000);
  });
});

/** Until it holds, or ten seconds have passed. */
async function eventually(holds: () => Promise<unknown>): Promise<void> {
  await vi.waitFor(holds, { timeout: 10_000, interval: 50 });
}

const saidBy = (allocationId: string): string[] =>
  (plane.logs.get(`allocation:${allocationId}`) ?? []).map(({ text }) => text);

async function waitForLog(stream: string, line: string): Promise<void> {
  await eventually(() => {
    expect(plane.logs.get(stream)?.map(({ text }) => text)).toContain(line);
    return Promise.resolve();
  });
}
