/** Which peers of an interface have to change, and in what: the others are not touched, so their streams go on (P14). */
import type { Mesh, MeshPeer } from '../contract/mesh.ts';

/** A peer as WireGuard has it. */
export type SeenPeer = {
  publicKey: string;
  /** Where it was heard from last, or what was set; null: neither. */
  endpoint: string | null;
  allowedIps: readonly string[];
  keepaliveSeconds: number | null;
  /** Null: never. */
  handshakeAt: Date | null;
};

export type PeerChange =
  | { kind: 'add'; peer: MeshPeer }
  /** `endpoint`: whether it is set too; one that roams is left where it was heard from. */
  | { kind: 'change'; peer: MeshPeer; endpoint: boolean }
  | { kind: 'remove'; publicKey: string };

/** Without a handshake for so long a peer is not there: WireGuard renews keys every two minutes. */
const heardWithinMs = 180_000;

/** What is wrong with the interface itself, or with what leads packets to it. */
export type InterfaceFault = 'missing' | 'key' | 'port' | 'address' | 'routes' | 'firewall' | 'forwarding';

export type MeshChange = PeerChange | { kind: 'interface'; fault: InterfaceFault };

const mended: Record<InterfaceFault, string> = {
  missing: 'Make the WireGuard interface',
  key: 'Give the WireGuard interface the key of this node',
  port: 'Let the WireGuard interface listen on its port',
  address: 'Give the WireGuard interface its address',
  routes: 'Lead the fleet’s networks to the WireGuard interface',
  firewall: 'Keep the source addresses of containers between nodes',
  forwarding: 'Let packets pass between containers and the WireGuard interface',
};

/** Peers to remove come first: of two peers with one network WireGuard keeps the one that was told last. */
export function peerChanges(
  { peers }: Pick<Mesh, 'peers'>,
  { seen, now }: { seen: readonly SeenPeer[]; now: Date },
): PeerChange[] {
  const wanted = new Set(peers.map(({ publicKey }) => publicKey));
  const present = new Map(seen.map((peer) => [peer.publicKey, peer]));
  const gone = seen
    .filter(({ publicKey }) => !wanted.has(publicKey))
    .map(({ publicKey }): PeerChange => ({ kind: 'remove', publicKey }))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const others = peers.flatMap((peer): PeerChange[] => {
    const local = present.get(peer.publicKey);
    if (local === undefined) return [{ kind: 'add', peer }];
    const endpoint = isLost(peer, local, now);
    const same = sameNetworks(peer, local) && peer.keepaliveSeconds === local.keepaliveSeconds;
    return same && !endpoint ? [] : [{ kind: 'change', peer, endpoint }];
  });
  return [...gone, ...others];
}

function isLost({ endpoint }: MeshPeer, local: SeenPeer, now: Date): boolean {
  if (endpoint === null || endpoint === local.endpoint) return false;
  return local.handshakeAt === null || now.getTime() - local.handshakeAt.getTime() > heardWithinMs;
}

function sameNetworks({ allowedIps }: MeshPeer, local: SeenPeer): boolean {
  return [...allowedIps].sort().join(' ') === [...local.allowedIps].sort().join(' ');
}

export function keyOf(change: PeerChange): string {
  return change.kind === 'remove' ? change.publicKey : change.peer.publicKey;
}

/** One line for a person. */
export function describeMeshChange(change: MeshChange): string {
  switch (change.kind) {
    case 'interface':
      return mended[change.fault];
    case 'add':
      return `Add peer ${change.peer.name} at ${change.peer.endpoint ?? 'wherever it calls from'}`;
    case 'change':
      return `Change peer ${change.peer.name}${change.endpoint ? `: call it at ${change.peer.endpoint}` : ''}`;
    case 'remove':
      return `Remove peer ${change.publicKey.slice(0, 8)}…: it is no node of this fleet`;
  }
}
