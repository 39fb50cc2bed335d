import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkShell, type Shell } from '../../agent/network/shell.ts';
import { wireguard, type Wireguard } from '../../agent/wireguard/wireguard.ts';
import type { Machine } from '../../cli/fleet/machine.ts';
import type { Network } from '../../cli/fleet/wires.ts';
import { resolveTool } from '../../cli/tools/resolve.ts';
import { describeMeshChange } from '../../core/mesh/changes.ts';
import { meshOf, reach, type MeshNode } from '../../core/mesh/mesh.ts';
import { defaultAddressPools as pools } from '../../core/node/addresses.ts';
import { generateKeyPair } from '../../platform/crypto/keys.ts';
import { Machines } from './machines.ts';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const device = 'landfall-wg';

let fleet: Machines;
let userspace: string;

/** A machine with its end of the mesh, and a stand-in for a container: an address of its subnet that answers who asked. */
interface Member {
  machine: Machine;
  node: MeshNode;
  link: Wireguard;
  container: string;
}

beforeAll(async () => {
  fleet = await Machines.make();
  userspace = (await resolveTool('wireguard-go')).path;
});

afterAll(() => fleet.end());

/** The driver's programs, run on the machine. */
function shellOn(machine: Machine): Shell {
  const here = networkShell({ PATH: path });
  const there = (argv: readonly string[]) => machine.space.inside(['env', `PATH=${path}`, ...argv]);
  return {
    ask: (argv) => here.ask(there(argv)),
    must: (argv) => here.must(there(argv)),
    forwarding: () => Promise.resolve(true),
    enableForwarding: () => Promise.resolve(),
  };
}

const answersWhoAsked = `require('node:http').createServer((request, answer) => {
  if (request.url === '/') return answer.end(request.socket.remoteAddress);
  setInterval(() => answer.write('.'), 20);
}).listen(8080, process.argv[1])`;

async function join(host: number, network?: Network): Promise<Member> {
  const machine = await fleet.boot(`node-${host}`, host, network);
  const keys = generateKeyPair('X25519');
  const container = `10.200.${host}.1`;
  await machine.run(['ip', 'link', 'add', 'landfall0', 'type', 'bridge']);
  await machine.run(['ip', 'address', 'add', `${container}/24`, 'dev', 'landfall0']);
  await machine.run(['ip', 'link', 'set', 'dev', 'landfall0', 'up']);
  // What the container engine does to everything that leaves the node's subnet.
  const leaves = ['--source', `10.200.${host}.0/24`, '!', '--destination', `10.200.${host}.0/24`];
  await machine.run(['iptables', '--table', 'nat', '--append', 'POSTROUTING', ...leaves, '--jump', 'MASQUERADE']);
  machine.start([process.execPath, '-e', answersWhoAsked, container], { env: { PATH: path }, log: 'web.log' });
  const seenAddress = network === undefined ? machine.address : `10.77.0.${routerOf(network)}`;
  const node: MeshNode = {
    ...{ id: `id-${host}`, name: machine.name, subnet: host, publicKey: base64(keys.publicKey) },
    ...{ ownAddress: machine.address, seenAddress, endpoint: null, listenPort: 51_820, live: true },
  };
  const link = wireguard({
    shell: shellOn(machine),
    device,
    keys,
    dataDir: machine.dir,
    userspace,
    greet: () => undefined,
    log: () => undefined,
  });
  return { machine, node, link, container };
}

const routers = new Map<Network, number>();

async function home(host: number): Promise<Network> {
  const network = await fleet.behindNat(host);
  routers.set(network, host);
  return network;
}

function routerOf(network: Network): number {
  return routers.get(network) ?? 0;
}

function base64(raw: string): string {
  return Buffer.from(raw, 'base64url').toString('base64');
}

async function applyAll(members: readonly Member[], nodes = members.map(({ node }) => node)): Promise<void> {
  await Promise.all(members.map(({ link, node }) => link.apply(meshOf(node, nodes, pools), new Date())));
}

/** Asked from the container's address of one; answers whom the other saw. */
async function asked(from: Member, to: Member): Promise<string> {
  const curl = ['curl', '--silent', '--show-error', '--max-time', '8', '--retry', '3', '--retry-connrefused'];
  return from.machine.run([...curl, '--interface', from.container, `http://${to.container}:8080/`]);
}

describe('a mesh of three machines', () => {
  let members: Member[];

  beforeAll(async () => {
    members = await Promise.all([join(1), join(2), join(3)]);
    await applyAll(members);
  });

  it('carries traffic from every node to every other, with the container’s own source address', async () => {
    for (const from of members)
      for (const to of members) if (from !== to) expect(await asked(from, to)).toBe(from.container);
  });

  it('is as wanted afterwards: looking again finds nothing', async () => {
    const nodes = members.map(({ node }) => node);
    for (const { link, node } of members) expect(await link.look(meshOf(node, nodes, pools), new Date())).toEqual([]);
  });

  it('P14: a stream across the mesh survives that another peer comes, changes and goes', async () => {
    const [one, two] = members as [Member, Member, Member];
    const url = `http://${two.container}:8080/endless`;
    const curl = [
      'curl',
      '--silent',
      '--no-buffer',
      '--interface',
      one.container,
      '--speed-limit',
      '1',
      '--speed-time',
      '2',
      url,
    ];
    const stream = one.machine.start(curl, { env: { PATH: path }, log: 'stream.log' });
    let ended = false;
    void stream.exited.then(() => (ended = true));
    const bytes = async (): Promise<number> =>
      Number(await one.machine.run(['stat', '-c', '%s', `${one.machine.dir}/stream.log`]));
    await expect.poll(bytes, { timeout: 5_000 }).toBeGreaterThan(10);
    const fourth: MeshNode = {
      ...two.node,
      id: 'id-4',
      name: 'node-4',
      subnet: 4,
      publicKey: base64(generateKeyPair('X25519').publicKey),
    };
    const nodes = members.map(({ node }) => node);
    const steps = [[...nodes, fourth], [...nodes, { ...fourth, subnet: 5 }], nodes.slice(0, 2), nodes];
    for (const step of steps) await applyAll(members.slice(0, 2), step);
    const before = await bytes();
    await expect.poll(bytes, { timeout: 5_000 }).toBeGreaterThan(before + 20);
    expect(ended).toBe(false);
    stream.signal('SIGKILL');
    await stream.exited;
  });

  it('undoes what was changed by hand, and says so', async () => {
    const [one, two] = members as [Member, Member, Member];
    const mesh = meshOf(
      one.node,
      members.map(({ node }) => node),
      pools,
    );
    await one.machine.run(['wg', 'set', device, 'peer', two.node.publicKey, 'remove']);
    await one.machine.run(['ip', 'route', 'delete', '10.200.0.0/16']);
    await one.machine.run(['nft', 'delete', 'table', 'ip', 'landfall_wg']);
    const found = (await one.link.apply(mesh, new Date())).map(describeMeshChange);
    expect(found).toEqual([
      'Lead the fleet’s networks to the WireGuard interface',
      'Keep the source addresses of containers between nodes',
      `Add peer ${two.node.name} at 10.77.0.2:51820`,
    ]);
    expect(await asked(one, two)).toBe(one.container);
  });

  it('heals when a link was cut and is whole again', async () => {
    const [one, two, three] = members as [Member, Member, Member];
    await fleet.links.cut(1, 2);
    await expect(
      one.machine.run(['curl', '--silent', '--max-time', '1', `http://${two.container}:8080/`]),
    ).rejects.toThrow();
    expect(await asked(one, three)).toBe(one.container);
    await fleet.links.mend();
    expect(await asked(one, two)).toBe(one.container);
  });
});

describe('nodes behind NAT', () => {
  it('are kept alive by their own calls, and two of them reach each other through a node that both reach', async () => {
    const [outside, left, right] = await Promise.all([
      join(11),
      home(101).then((it) => join(12, it)),
      home(102).then((it) => join(13, it)),
    ]);
    const members = [outside, left, right];
    const nodes = members.map(({ node }) => node);
    expect(reach(left.node, right.node, nodes)).toMatchObject({ kind: 'relayed', through: { name: 'node-11' } });
    await applyAll(members);
    expect(await asked(left, outside)).toBe(left.container);
    // Nobody outside could open this way: it stands because the one behind NAT calls.
    expect(await asked(outside, left)).toBe(outside.container);
    expect(await asked(left, right)).toBe(left.container);
    expect(await asked(right, left)).toBe(right.container);
  });

  it('in one home use the private network between them', async () => {
    const network = await home(103);
    const members = await Promise.all([join(14, network), join(15, network)]);
    await applyAll(members);
    const [one, two] = members;
    expect(await asked(one, two)).toBe(one.container);
    const dump = await one.machine.run(['wg', 'show', device, 'endpoints']);
    expect(dump).toContain('192.168.1.15:51820');
  });
});
