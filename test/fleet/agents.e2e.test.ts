import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from '../../cli/fleet/machine.ts';
import type { Network } from '../../cli/fleet/wires.ts';
import { build } from '../../cli/build.mjs';
import { packageRoot } from '../../cli/root.ts';
import type { MeshStanding } from '../../core/mesh/mesh.ts';
import { part } from '../parts.ts';
import { eventually } from '../e2e/eventually.ts';
import { Machines } from './machines.ts';

const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
const accessToken = 'a-token-of-this-test-alone-long-enough-to-be-taken';
const controlHost = 100;
const dist = (name: string): string => path.join(packageRoot(), 'dist', `${name}.js`);

let fleet: Machines;
let control: Machine;
let url: string;
let userspace: string;

beforeAll(async () => {
  await build(() => undefined);
  userspace = await part('wireguard-go');
  fleet = await Machines.make();
  control = await fleet.boot('control', controlHost);
  url = `http://${control.address}:7780`;
  control.start([process.execPath, dist('cli'), 'api'], {
    env: {
      ...env,
      ...{ LANDFALL_DATA: path.join(control.dir, 'data'), LANDFALL_HOST: control.address, LANDFALL_URL: url },
      ...{ LANDFALL_ACCESS_TOKEN: accessToken, REGISTRY_URL: 'http://127.0.0.1:7782' },
    },
    log: 'server.log',
  });
  await eventually(async () => (await landfall('node', 'list').catch(() => null)) ?? null, {
    what: 'the control plane',
  });
});

afterAll(() => fleet.end());

/** The CLI, on the control plane's machine. */
function landfall(...args: string[]): Promise<string> {
  return control.run([process.execPath, dist('cli'), ...args, '--url', url, '--token', accessToken]);
}

interface Member {
  name: string;
  machine: Machine;
  /** In the private network. */
  address: string;
  start: () => void;
}

async function join(name: string, host: number, network?: Network): Promise<Member> {
  const machine = await fleet.boot(name, host, network);
  const { token } = JSON.parse(await landfall('node', 'add', name, '--json')) as { token: string };
  const start = (): void => {
    const flags = ['--url', url, '--token', token, '--data', path.join(machine.dir, 'agent')];
    machine.start(
      [process.execPath, dist('agent'), ...flags, '--no-build', '--ephemeral', '--wireguard-go', userspace],
      { env, log: 'agent.log' },
    );
  };
  start();
  const address = await eventually(
    async () => (await nodes()).find((node) => node.name === name && node.state === 'ready')?.wireguardAddress ?? null,
    { what: `the node ${name}` },
  );
  return { name, machine, address, start };
}

interface ListedNode {
  name: string;
  state: string;
  wireguardAddress: string;
  mesh: MeshStanding | null;
}

async function nodes(): Promise<ListedNode[]> {
  return JSON.parse(await landfall('node', 'list', '--json')) as ListedNode[];
}

const reaches = (from: Member, to: Member): Promise<true | null> =>
  from.machine.run(['busybox', 'ping', '-c', '1', '-W', '1', to.address]).then(
    () => true,
    () => null,
  );

async function allReach(...members: Member[]): Promise<void> {
  for (const from of members)
    for (const to of members)
      if (from !== to)
        await eventually(() => reaches(from, to), { what: `${from.name} to reach ${to.name}`, withinMs: 30_000 });
}

describe('nodes that register at one control plane', () => {
  it('reach each other in a private network, as soon as they have reported', async () => {
    const one = await join('one', 1);
    const two = await join('two', 2);
    const three = await join('three', 3);
    await allReach(one, two, three);

    // Power comes back: the interface is made anew, and the others find it again.
    await two.machine.cut();
    await two.machine.boot();
    two.start();
    await allReach(one, two, three);

    await landfall('node', 'remove', 'three');
    await eventually(async () => ((await reaches(one, three)) === null ? true : null), { what: 'three to be gone' });
    await allReach(one, two);
  });

  it('reach each other from behind NAT through a node that both reach', async () => {
    const homes = await Promise.all([fleet.behindNat(21, '192.168.1'), fleet.behindNat(22, '192.168.2')]);
    const [left, right] = [await join('left', 11, homes[0]), await join('right', 12, homes[1])];
    await allReach(left, right);
    const listed = await nodes();
    expect(listed.find(({ name }) => name === 'left')?.mesh).toEqual({
      ...{ kind: 'behind_nat', relayed: [{ name: 'right', through: 'one' }], unreachable: [] },
    });
    expect(listed.find(({ name }) => name === 'one')?.mesh).toMatchObject({ kind: 'direct', relayed: [] });
    expect(await landfall('node', 'list')).toMatch(/left .* behind NAT; 1 through one/);
  });
});
