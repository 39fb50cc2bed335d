import { describe, expect, it } from 'vitest';
import { defaultAddressPools as pools } from '../node/addresses.ts';
import { isBehindNat, meshOf, meshStanding, reach, type MeshNode } from './mesh.ts';

function node(subnet: number, change: Partial<MeshNode> = {}): MeshNode {
  return {
    ...{ id: `id-${subnet}`, name: `node-${subnet}`, subnet, publicKey: `key-${subnet}` },
    ...{ ownAddress: `203.0.113.${subnet}`, seenAddress: `203.0.113.${subnet}`, endpoint: null },
    ...{ listenPort: 51_820, live: true, ...change },
  };
}

/** Behind the router of a home with this public address. */
function behind(router: string, subnet: number, change: Partial<MeshNode> = {}): MeshNode {
  return node(subnet, { ownAddress: `192.168.1.${subnet}`, seenAddress: router, ...change });
}

describe('the way from one node to another', () => {
  it('is straight to a public address', () => {
    const [a, b] = [node(1), node(2)];
    expect(reach(a, b, [a, b])).toEqual({ kind: 'direct', endpoint: '203.0.113.2:51820', shared: false });
  });

  it('takes the endpoint that an operator named, and then it is not behind NAT', () => {
    const [a, b] = [node(1), behind('198.51.100.7', 2, { endpoint: '198.51.100.7:4000' })];
    expect(isBehindNat(b)).toBe(false);
    expect(reach(a, b, [a, b])).toEqual({ kind: 'direct', endpoint: '198.51.100.7:4000', shared: false });
  });

  it('is opened by the one behind NAT', () => {
    const [a, b] = [node(1), behind('198.51.100.7', 2)];
    expect(reach(a, b, [a, b])).toEqual({ kind: 'called' });
    expect(reach(b, a, [a, b])).toMatchObject({ kind: 'direct', endpoint: '203.0.113.1:51820' });
  });

  it('is the private address where both share a network', () => {
    const [a, b] = [behind('198.51.100.7', 1), behind('198.51.100.7', 2)];
    expect(reach(a, b, [a, b])).toEqual({ kind: 'direct', endpoint: '192.168.1.2:51820', shared: true });
  });

  it('is not the private address of another home that uses the same range', () => {
    const [a, b] = [behind('198.51.100.7', 1), behind('198.51.100.8', 2)];
    expect(reach(a, b, [a, b])).toEqual({ kind: 'none' });
  });

  it('goes through a node that both reach: one that is live, then the one with the smallest number', () => {
    const [a, b, silent, relay, later] = [
      behind('198.51.100.7', 1),
      behind('198.51.100.8', 2),
      node(3, { live: false }),
      node(4),
      node(5),
    ];
    const all = [later, b, silent, a, relay];
    expect(reach(a, b, all)).toEqual({ kind: 'relayed', through: relay });
    expect(reach(b, a, all.toReversed())).toEqual({ kind: 'relayed', through: relay });
  });

  it('writes an IPv6 endpoint in brackets', () => {
    const [a, b] = [node(1), node(2, { ownAddress: '2001:db8::2', seenAddress: '2001:db8::2' })];
    expect(reach(a, b, [a, b])).toMatchObject({ endpoint: '[2001:db8::2]:51820' });
  });
});

describe('what a node is told', () => {
  it('are its address and the other nodes, with both of their networks', () => {
    const all = [node(2), node(1), node(3)];
    expect(meshOf(all[1]!, all, pools)).toEqual({
      ...{ address: '10.100.1.1/24', listenPort: 51_820, mtu: 1_420, pools },
      peers: [2, 3].map((subnet) => ({
        ...{ nodeId: `id-${subnet}`, name: `node-${subnet}`, publicKey: `key-${subnet}` },
        ...{ endpoint: `203.0.113.${subnet}:51820`, keepaliveSeconds: null },
        allowedIps: [`10.100.${subnet}.0/24`, `10.200.${subnet}.0/24`],
      })),
    });
  });

  it('is the same in whatever order the nodes come (P17)', () => {
    const all = [node(2), behind('198.51.100.7', 1), node(3), behind('198.51.100.8', 4)];
    for (const self of all) expect(meshOf(self, all.toReversed(), pools)).toEqual(meshOf(self, all, pools));
  });

  it('keeps the way through NAT open from the side behind it, and only from there', () => {
    const [a, b] = [node(1), behind('198.51.100.7', 2)];
    expect(meshOf(b, [a, b], pools).peers).toMatchObject([{ nodeId: 'id-1', keepaliveSeconds: 25 }]);
    expect(meshOf(a, [a, b], pools).peers).toMatchObject([{ nodeId: 'id-2', endpoint: null, keepaliveSeconds: null }]);
  });

  it('lets the one in the middle carry what two behind NAT send each other', () => {
    const [a, b, relay] = [behind('198.51.100.7', 1), behind('198.51.100.8', 2), node(3)];
    const all = [a, b, relay];
    const networks = (...subnets: number[]) =>
      subnets.flatMap((subnet) => [`10.100.${subnet}.0/24`, `10.200.${subnet}.0/24`]).sort();
    expect(meshOf(a, all, pools).peers).toMatchObject([{ nodeId: 'id-3', allowedIps: networks(2, 3) }]);
    expect(meshOf(b, all, pools).peers).toMatchObject([{ nodeId: 'id-3', allowedIps: networks(1, 3) }]);
    expect(meshOf(relay, all, pools).peers).toMatchObject([
      { nodeId: 'id-1', allowedIps: networks(1) },
      { nodeId: 'id-2', allowedIps: networks(2) },
    ]);
  });

  it('gives no network to two peers at once, whatever stands where', () => {
    const routers = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
    const all = Array.from({ length: 24 }, (_, index) =>
      index % 3 === 0 ? node(index + 1, { live: index % 2 === 0 }) : behind(routers[(index % 5) % 3]!, index + 1),
    );
    for (const self of all) {
      const { peers } = meshOf(self, all, pools);
      const networks = peers.flatMap(({ allowedIps }) => allowedIps);
      expect(new Set(networks).size).toBe(networks.length);
      expect(networks).toHaveLength((all.length - 1) * 2);
    }
  });
});

describe('how a node stands in the private network', () => {
  const [left, right, open] = [behind('198.51.100.7', 1), behind('198.51.100.8', 2), node(3)];

  it('says whom it reaches through whom, and whom not at all', () => {
    expect(meshStanding(left, [left])).toEqual({ kind: 'alone', relayed: [], unreachable: [] });
    expect(meshStanding(left, [left, right])).toEqual({ kind: 'behind_nat', relayed: [], unreachable: ['node-2'] });
    const relayed = [{ name: 'node-2', through: 'node-3' }];
    expect(meshStanding(left, [open, right, left])).toEqual({ kind: 'behind_nat', relayed, unreachable: [] });
    expect(meshStanding(open, [open, right, left])).toEqual({ kind: 'direct', relayed: [], unreachable: [] });
  });
});
