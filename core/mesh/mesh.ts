/**
 * Decides how the nodes of a fleet reach each other: straight where one of the two has an address that the other can call,
 * else through a node that both reach.
 */
import type { Mesh, MeshPeer } from '../contract/mesh.ts';
import { containerCidr, wireguardAddress, wireguardCidr, type AddressPools } from '../node/addresses.ts';

export type MeshNode = {
  id: string;
  name: string;
  /** X in 10.200.X.0/24. */
  subnet: number;
  publicKey: string;
  /** Its end of its connection to the control plane, as the node sees it; null before its first report. */
  ownAddress: string | null;
  /** The same, as the control plane sees it. */
  seenAddress: string | null;
  /** `address:port` that its operator says others can call; null: to be found out. */
  endpoint: string | null;
  listenPort: number;
  live: boolean;
};

/** How one node gets to another. */
export type Reach =
  /** It has an address for the other. `shared`: both are in one private network. */
  | { kind: 'direct'; endpoint: string; shared: boolean }
  /** The other is behind NAT and calls first; from then on the way is open in both directions. */
  | { kind: 'called' }
  /** Both are behind NAT. */
  | { kind: 'relayed'; through: MeshNode }
  /** Both are behind NAT, and there is no node that both reach. */
  | { kind: 'none' };

/** Leaves room for WireGuard's header on links of 1500 bytes, over IPv6 too. */
const mtu = 1_420;

/** Often enough for every NAT that is in use (RFC 4787 asks for two minutes, many forget after 30 seconds). */
const keepaliveSeconds = 25;

/** Without an address that others can call: what it calls itself is not what the control plane sees. */
export function isBehindNat({ endpoint, ownAddress, seenAddress }: MeshNode): boolean {
  return endpoint === null && (ownAddress === null || seenAddress === null || ownAddress !== seenAddress);
}

export function reach(from: MeshNode, to: MeshNode, all: readonly MeshNode[]): Reach {
  const straight = directEndpoint(from, to);
  if (straight !== null) return straight;
  if (directEndpoint(to, from) !== null) return { kind: 'called' };
  const through = relayOf(from, to, all);
  return through === null ? { kind: 'none' } : { kind: 'relayed', through };
}

function directEndpoint(from: MeshNode, to: MeshNode): Extract<Reach, { kind: 'direct' }> | null {
  if (to.ownAddress !== null && sharesNetwork(from, to))
    return { kind: 'direct', endpoint: endpointOf(to.ownAddress, to.listenPort), shared: true };
  if (to.endpoint !== null) return { kind: 'direct', endpoint: to.endpoint, shared: false };
  if (to.seenAddress === null || isBehindNat(to)) return null;
  return { kind: 'direct', endpoint: endpointOf(to.seenAddress, to.listenPort), shared: false };
}

/** Behind one address of the outside, and there in one private network. Two homes may both use 192.168.1.0/24. */
function sharesNetwork(a: MeshNode, b: MeshNode): boolean {
  if (a.ownAddress === null || b.ownAddress === null || a.seenAddress === null) return false;
  if (a.seenAddress !== b.seenAddress) return false;
  return networkOf(a.ownAddress) === networkOf(b.ownAddress);
}

/** The /16 of an IPv4 address, the /64 of an IPv6 one: sites that route between their networks count as one. */
function networkOf(address: string): string {
  return address.includes(':') ? address.split(':').slice(0, 4).join(':') : address.split('.').slice(0, 2).join('.');
}

/** A live one before one that is silent; then the one with the smallest number, so that every node picks the same. */
function relayOf(a: MeshNode, b: MeshNode, all: readonly MeshNode[]): MeshNode | null {
  const both = all
    .filter((node) => node.id !== a.id && node.id !== b.id)
    .filter((node) => directEndpoint(a, node) !== null && directEndpoint(b, node) !== null);
  return both.toSorted((one, two) => Number(two.live) - Number(one.live) || one.subnet - two.subnet)[0] ?? null;
}

function endpointOf(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What `self` is told. Nodes that it cannot reach at all are left out. */
export function meshOf(self: MeshNode, all: readonly MeshNode[], pools: AddressPools): Mesh {
  const others = all.filter(({ id }) => id !== self.id).sort((a, b) => (a.id < b.id ? -1 : 1));
  const ways = others.map((node) => ({ node, way: reach(self, node, all) }));
  const peers = ways.flatMap(({ node, way }) => {
    if (way.kind !== 'direct' && way.kind !== 'called') return [];
    const through = ways.filter((other) => other.way.kind === 'relayed' && other.way.through.id === node.id);
    return peerOf(self, { node, way, through: through.map((other) => other.node) }, pools);
  });
  return {
    address: `${wireguardAddress(pools, self.subnet)}/24`,
    listenPort: self.listenPort,
    mtu,
    pools: { containers: pools.containers, wireguard: pools.wireguard },
    peers,
  };
}

interface Neighbour {
  node: MeshNode;
  way: Extract<Reach, { kind: 'direct' | 'called' }>;
  /** Reached through it. */
  through: readonly MeshNode[];
}

function peerOf(self: MeshNode, { node, way, through }: Neighbour, pools: AddressPools): MeshPeer {
  const networks = [node, ...through].flatMap(({ subnet }) => [
    wireguardCidr(pools, subnet),
    containerCidr(pools, subnet),
  ]);
  const translated = isBehindNat(self) && !(way.kind === 'direct' && way.shared);
  return {
    nodeId: node.id,
    name: node.name,
    publicKey: node.publicKey,
    endpoint: way.kind === 'direct' ? way.endpoint : null,
    allowedIps: networks.sort(),
    keepaliveSeconds: translated ? keepaliveSeconds : null,
  };
}

/** How a node stands in the private network, for a person. */
export type MeshStanding = {
  /** `direct`: others call it. `behind_nat`: it calls them. `alone`: there are no others. */
  kind: 'direct' | 'behind_nat' | 'alone';
  /** Names of nodes that it reaches through another one. */
  relayed: { name: string; through: string }[];
  /** Names of nodes that it does not reach at all. */
  unreachable: string[];
};

/** Sorted by name. */
export function meshStanding(self: MeshNode, all: readonly MeshNode[]): MeshStanding {
  const others = all.filter(({ id }) => id !== self.id).sort((a, b) => (a.name < b.name ? -1 : 1));
  const ways = others.map((node) => ({ name: node.name, way: reach(self, node, all) }));
  return {
    kind: others.length === 0 ? 'alone' : isBehindNat(self) ? 'behind_nat' : 'direct',
    relayed: ways.flatMap(({ name, way }) => (way.kind === 'relayed' ? { name, through: way.through.name } : [])),
    unreachable: ways.flatMap(({ name, way }) => (way.kind === 'none' ? name : [])),
  };
}
