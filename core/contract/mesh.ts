/** What one node is told about the private network between nodes. */
import Type, { type Static } from 'typebox';

export const MeshPeer = Type.Object({
  nodeId: Type.String(),
  name: Type.String(),
  /** WireGuard's, base64. */
  publicKey: Type.String(),
  /** `address:port`; null: it is behind NAT and calls us. */
  endpoint: Type.Union([Type.String(), Type.Null()]),
  /** Its two /24s, and those of nodes that are reached through it. Sorted. */
  allowedIps: Type.Array(Type.String()),
  /** Null: nothing between here and there forgets a quiet connection. */
  keepaliveSeconds: Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.Null()]),
});
export type MeshPeer = Static<typeof MeshPeer>;

export const Mesh = Type.Object({
  /** Of this node, with its prefix: `10.100.3.1/24`. */
  address: Type.String(),
  listenPort: Type.Integer({ minimum: 1, maximum: 65_535 }),
  mtu: Type.Integer(),
  /** The pools of all nodes: between them a container keeps its own source address. */
  pools: Type.Object({ containers: Type.String(), wireguard: Type.String() }),
  /** Sorted by node id. */
  peers: Type.Array(MeshPeer),
});
export type Mesh = Static<typeof Mesh>;
