import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExpectedContainer } from '../../core/contract/expected-state.ts';
import type { Mesh } from '../../core/contract/mesh.ts';
import type { Names } from '../../core/contract/names.ts';
import { useRegistry } from '../../test/agent/suite.ts';
import { noHttpOptions, noRoutes } from '../../test/core/facts.ts';
import { part } from '../../test/parts.ts';
import { generateKeyPair } from '../../platform/crypto/keys.ts';
import { startTestAgent, type TestAgent } from '../testing/agent.ts';
import { containerOf, expectedContainer, startControlPlane, type TestControlPlane } from '../testing/control-plane.ts';
import { pushBusyboxImage } from '../testing/image.ts';
import { leftBehind, nothing } from '../testing/machine.ts';
import { reserveNetwork, type TestNetwork } from '../testing/network.ts';

const run = promisify(execFile);
const user = { username: 'puller', password: 'correct horse' };
const registry = useRegistry(user);
let dataDir: string;
let network: TestNetwork;
let plane: TestControlPlane;
let one: TestAgent;
let image: string;
let http: string;
let device: string;

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  const base = { host: registry.host, repository: 'test/web', user, busybox: await part('busybox'), exposedPorts: [] };
  image = await pushBusyboxImage({ ...base, marker: 'one' });
  network = await reserveNetwork();
  device = network.bridge.replace('lftest', 'lfwg');
  plane = await startControlPlane(network);
  dataDir = await mkdtemp(path.join(tmpdir(), 'landfall-parts-'));
  const [web, tls, internal, listenPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  http = `127.0.0.1:${web}`;
  one = await startTestAgent(plane, {
    dataDir,
    kind: 'proxy',
    bridge: network.bridge,
    mesh: { device, userspace: await part('wireguard-go'), listenPort, endpoint: null },
    proxy: { program: await part('traefik'), http, https: `127.0.0.1:${tls}`, internal: `127.0.0.1:${internal}` },
  });
  plane.expect({ registries: [plane.seals().registry(registry.host, user)] });
});

afterAll(async () => {
  await one.end();
  await plane.stop();
  expect(await leftBehind(dataDir, network.bridge)).toEqual(nothing);
  await expect(run('ip', ['link', 'show', 'dev', device])).rejects.toThrow(/does not exist/);
  await rm(dataDir, { recursive: true, force: true });
});

const web = (): ExpectedContainer => expectedContainer({ image, ip: network.address(10) });

/** Looks its neighbour up by name, again and again, and serves what it found. */
const asker = (): ExpectedContainer =>
  expectedContainer({
    ...{ image, ip: network.address(11), serviceName: 'asker' },
    ...{ allocationId: '01900000-0000-7000-8000-00000000a002', serviceId: '01900000-0000-7000-8000-00000000b002' },
    command: [
      '/bin/sh',
      '-c',
      'mkdir -p /www; echo > /www/index.html; (while :; do busybox nslookup web.internal > /www/next 2>&1; busybox mv /www/next /www/index.html; sleep 0.1; done) & exec httpd -f -p 8080 -h /www',
    ],
  });

const names = (addresses: string[]): Names => ({
  ttlSeconds: 1,
  views: [
    {
      environmentId: 'e1',
      askers: [network.address(10), network.address(11)],
      names: { 'web.internal': addresses, 'web.production.internal': addresses },
    },
  ],
});

/** What the asker found last. */
const found = async (): Promise<string> => (await fetch(`http://${asker().ip}:8080/index.html`)).text();

const routes = () => ({
  ...noRoutes,
  http: [
    {
      ...{ id: 'web', hosts: ['shop.test'], path: null, tls: null, options: noHttpOptions, health: null },
      targets: [{ releaseId: 'r1', weight: 1, backends: [{ address: `${network.address(10)}:8080`, weight: 1 }] }],
    },
  ],
});

async function asked(host: string): Promise<{ status: number; body: string }> {
  const { stdout } = await run('curl', ['-s', '-w', '%{http_code}', '-H', `host: ${host}`, `http://${http}/`]);
  return { status: Number(stdout.slice(-3)), body: stdout.slice(0, -3) };
}

const peer = (name: string, subnet: number): Mesh['peers'][number] => ({
  ...{ nodeId: name, name, endpoint: '192.0.2.7:51820', keepaliveSeconds: null },
  publicKey: Buffer.from(generateKeyPair('X25519').publicKey, 'base64url').toString('base64'),
  allowedIps: [`10.253.${subnet}.0/24`],
});

describe('an agent keeps its node', () => {
  it('answers names to its containers, also when there is no container yet and when the last one has gone', async () => {
    const before = plane.expect({ containers: [], names: names([]) });
    await plane.reported(({ inForce }) => inForce?.dns === before);
    plane.expect({ containers: [web(), asker()], names: names([network.address(10)]) });
    await plane.reported((report) => containerOf(report, asker().allocationId)?.health === 'healthy');
    await expect.poll(found).toContain(`Address: ${network.address(10)}\n`);
    plane.expect({ containers: [] });
    await plane.reported(({ containers, converged }) => converged && containers.length === 0);
    const again = plane.expect({ containers: [web(), asker()] });
    await plane.reported(({ inForce, converged }) => converged && inForce?.dns === again);
    await expect.poll(found).toContain(`Address: ${network.address(10)}\n`);
  });

  it('says which generation of the names is in force although a container never gets well', async () => {
    const broken = { ...web(), image: image.replace(/sha256:.*/, `sha256:${'0'.repeat(64)}`) };
    const generation = plane.expect({ containers: [asker(), broken], names: names([]) });
    const report = await plane.reported(({ inForce }) => inForce?.dns === generation);
    expect(report.converged).toBe(false);
    plane.expect({ containers: [web(), asker()], names: names([network.address(10)]) });
    await plane.reported(({ converged }) => converged);
  });

  it('serves routes on a proxy; a node that is none any more runs no Traefik', async () => {
    const generation = plane.expect({ routes: routes() });
    const report = await plane.reported(({ inForce }) => inForce?.routes === generation);
    expect(report.digests.routes).toMatch(/^sha256:/);
    expect(report.capabilities).toEqual(['dns', 'routes']);
    expect(await asked('shop.test')).toEqual({ status: 200, body: 'hello\n' });
    expect((await asked('other.test')).status).toBe(404);
    const without = plane.expect({ routes: null });
    await plane.reported(({ inForce }) => inForce?.routes === without);
    await expect(asked('shop.test')).rejects.toThrow();
  });

  it('is one end of the private network, and undoes what is changed there by hand', async () => {
    const [a, b] = [peer('a', 7), peer('b', 8)];
    const mesh = (peers: Mesh['peers']): Mesh => ({
      ...{ address: '10.253.1.1/24', listenPort: one.options.mesh.listenPort, mtu: 1_420 },
      ...{ pools: { containers: '10.252.0.0/16', wireguard: '10.253.0.0/16' }, peers },
    });
    const generation = plane.expect({ mesh: mesh([a, b]) });
    await plane.reported(({ inForce }) => inForce?.peers === generation);
    const peers = async (): Promise<string[]> =>
      (await run('wg', ['show', device, 'peers'])).stdout.split('\n').filter(Boolean).sort();
    expect(await peers()).toEqual([a.publicKey, b.publicKey].sort());
    await run('wg', ['set', device, 'peer', b.publicKey, 'remove']);
    // The next look is due within its time; a change of the state asks for it now.
    plane.expect({ mesh: mesh([a, b]), names: names([]) });
    await expect.poll(peers, { timeout: 15_000 }).toEqual([a.publicKey, b.publicKey].sort());
    // Once to make the interface, once to mend it. A result is told until it was heard, which may be before it is looked for.
    const told = (): number =>
      new Set(
        plane.reports.flatMap(({ actions }) =>
          actions.flatMap(({ kind, subject, ok, at }) =>
            kind === 'update_peers' && subject === 'peers' && ok ? at : [],
          ),
        ),
      ).size;
    await expect.poll(told).toBe(2);
    const alone = plane.expect({ mesh: null });
    await plane.reported(({ inForce }) => inForce?.peers === alone);
    await expect(run('ip', ['link', 'show', 'dev', device])).rejects.toThrow(/does not exist/);

    // An interface of the same name that is another agent's stays.
    await run('ip', ['link', 'add', device, 'type', 'bridge']);
    const still = plane.expect({ names: names([network.address(10)]) });
    await plane.reported(({ inForce }) => inForce?.dns === still && inForce.peers === still);
    await run('ip', ['link', 'show', 'dev', device]);
    await run('ip', ['link', 'delete', 'dev', device]);
  });
});
