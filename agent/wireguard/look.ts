/** Looks at the WireGuard interface, its routes and its firewall rules, and says what differs from what is wanted. Changes nothing. */
import Type from 'typebox';
import { Parse } from 'typebox/value';
import type { Mesh } from '../../core/contract/mesh.ts';
import { peerChanges, type InterfaceFault, type MeshChange } from '../../core/mesh/changes.ts';
import { parseDump } from './dump.ts';
import { ruleLines } from './render.ts';
import type { Shell } from '../network/shell.ts';

/** Of `ip -json address show`. */
const Addresses = Type.Array(
  Type.Object({
    mtu: Type.Optional(Type.Integer()),
    flags: Type.Optional(Type.Array(Type.String())),
    addr_info: Type.Optional(
      Type.Array(Type.Object({ local: Type.Optional(Type.String()), prefixlen: Type.Integer() })),
    ),
  }),
);

/** Of `ip -json route show`. */
const Routes = Type.Array(Type.Object({ dst: Type.String() }));

export interface Wanted {
  device: string;
  /** Of the firewall. */
  table: string;
  mesh: Mesh;
  /** This node's own, WireGuard's base64. */
  publicKey: string;
}

/** Empty: as wanted. Sorted: the interface first, then its peers. */
export async function lookAtMesh(shell: Shell, wanted: Wanted, now: Date): Promise<MeshChange[]> {
  const { device, mesh } = wanted;
  const shown = await shell.ask(['wg', 'show', device, 'dump']);
  if (shown === null) return [fault('missing'), ...mesh.peers.map((peer) => ({ kind: 'add', peer }) as const)];
  const dump = parseDump(shown);
  const asked = await Promise.all([
    addressFault(shell, wanted),
    routesFault(shell, wanted),
    firewallFault(shell, wanted),
    forwardingFault(shell, device),
  ]);
  const own = [
    dump.publicKey === wanted.publicKey ? null : ('key' as const),
    dump.listenPort === mesh.listenPort ? null : ('port' as const),
  ];
  const found = [...own, ...asked].filter((one): one is InterfaceFault => one !== null);
  return [...found.map(fault), ...peerChanges(mesh, { seen: dump.peers, now })];
}

function fault(what: InterfaceFault): MeshChange {
  return { kind: 'interface', fault: what };
}

async function addressFault(shell: Shell, { device, mesh }: Wanted): Promise<InterfaceFault | null> {
  const [link] = Parse(
    Addresses,
    JSON.parse((await shell.ask(['ip', '-json', 'address', 'show', 'dev', device])) ?? '[]'),
  );
  const has = link?.addr_info?.some(({ local, prefixlen }) => `${local}/${prefixlen}` === mesh.address) ?? false;
  return has && link?.mtu === mesh.mtu && link.flags?.includes('UP') === true ? null : 'address';
}

async function routesFault(shell: Shell, { device, mesh }: Wanted): Promise<InterfaceFault | null> {
  const routes = Parse(Routes, JSON.parse((await shell.ask(['ip', '-json', 'route', 'show', 'dev', device])) ?? '[]'));
  const led = new Set(routes.map(({ dst }) => dst));
  return [mesh.pools.wireguard, mesh.pools.containers].every((pool) => led.has(pool)) ? null : 'routes';
}

async function firewallFault(shell: Shell, { mesh, table }: Wanted): Promise<InterfaceFault | null> {
  const listed = await shell.ask(['nft', 'list', 'table', 'ip', table]);
  if (listed === null) return 'firewall';
  const rules = listed.split('\n').map((line) => line.trim());
  return ruleLines(mesh).every((rule) => rules.includes(rule)) ? null : 'firewall';
}

async function forwardingFault(shell: Shell, device: string): Promise<InterfaceFault | null> {
  const [enabled, passes] = await Promise.all([shell.forwarding(), shell.ask(forwardCheck(device))]);
  return enabled && passes !== null ? null : 'forwarding';
}

/** A host with Docker or ufw drops what is forwarded unless a rule lets it pass. */
export function forwardCheck(device: string): string[] {
  return ['iptables', '--wait', '5', '--check', 'FORWARD', ...forwardRule(device)];
}

export function forwardRule(device: string): string[] {
  return ['--in-interface', device, '--jump', 'ACCEPT'];
}
