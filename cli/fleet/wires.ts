/** Switches, routers and the wires between them: virtual Ethernet pairs from one namespace to another. */
import { networkSpace, runToEnd, type Space } from './spaces.ts';

/** A network that machines are plugged into. */
export interface Network {
  space: Space;
  /** Interface of the switch, inside `space`. */
  bridge: string;
  /** Prefix of its addresses: `10.77.0`. */
  prefix: string;
}

const publicBridge = 'public';
const lanBridge = 'lan';

export async function publicNetwork(prefix: string): Promise<Network> {
  const space = await networkSpace();
  await addBridge(space, publicBridge);
  return { space, bridge: publicBridge, prefix };
}

async function addBridge(space: Space, bridge: string): Promise<void> {
  await space.run(['ip', 'link', 'add', bridge, 'type', 'bridge']);
  await space.run(['ip', 'link', 'set', 'dev', bridge, 'up']);
  await space.run(['ip', 'link', 'set', 'dev', 'lo', 'up']);
}

/** One end of a wire. */
export interface Plug {
  /** Null: this machine itself. */
  space: Space | null;
  device: string;
  /** Host part of its address in the network. */
  host: number;
}

/** The name of the wire's end at the switch, in the rules that cut it. */
export function portOf(host: number): string {
  return `port${host}`;
}

/** A machine keeps its card over a power cut: others need not ask anew where its address is. */
function hardwareAddress(address: string): string {
  return [2, 0, ...address.split('.').map(Number)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Plugs a machine into the network. Its address is `<prefix>.<host>/24`. */
export async function plugIn(network: Network, { space, device, host }: Plug): Promise<void> {
  const port = portOf(host);
  const owner = space === null ? String(process.pid) : String(space.pid);
  await network.space.run(['ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', device, 'netns', owner]);
  await network.space.run(['ip', 'link', 'set', 'dev', port, 'master', network.bridge, 'up']);
  const run = space === null ? runToEnd : (argv: readonly string[]) => space.run(argv);
  await run(['ip', 'link', 'set', 'dev', device, 'address', hardwareAddress(`${network.prefix}.${host}`)]);
  await run(['ip', 'address', 'add', `${network.prefix}.${host}/24`, 'dev', device]);
  await run(['ip', 'link', 'set', 'dev', device, 'up']);
  if (space !== null) await space.run(['ip', 'link', 'set', 'dev', 'lo', 'up']);
}

/** A network behind a router that translates addresses, as in a home or an office. `host` is the router's in the outer network. */
export async function networkBehindNat(
  outer: Network,
  { host, prefix }: { host: number; prefix: string },
): Promise<Network> {
  const space = await networkSpace();
  await plugIn(outer, { space, device: 'wan', host });
  await addBridge(space, lanBridge);
  await space.run(['ip', 'address', 'add', `${prefix}.254/24`, 'dev', lanBridge]);
  await space.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  for (const rule of natRules(outer.prefix)) await space.run(['nft', ...rule]);
  return { space, bridge: lanBridge, prefix };
}

/** Nobody outside can open a way in: what was not asked for from inside is dropped. */
function natRules(outerPrefix: string): string[][] {
  return [
    ['add', 'table', 'ip', 'nat'],
    ['add', 'chain', 'ip', 'nat', 'post', '{ type nat hook postrouting priority 100; }'],
    ['add', 'rule', 'ip', 'nat', 'post', 'oifname', 'wan', 'ip', 'daddr', `${outerPrefix}.0/24`, 'masquerade'],
    ['add', 'chain', 'ip', 'nat', 'forward', '{ type filter hook forward priority 0; }'],
    ['add', 'rule', 'ip', 'nat', 'forward', 'iifname', 'wan', 'ct', 'state', 'new', 'drop'],
  ];
}
