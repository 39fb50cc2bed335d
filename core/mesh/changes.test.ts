import { describe, expect, it } from 'vitest';
import type { MeshPeer } from '../contract/mesh.ts';
import { describeMeshChange, peerChanges, type SeenPeer } from './changes.ts';

const now = new Date('2026-01-01T00:10:00Z');

function peer(name: string, change: Partial<MeshPeer> = {}): MeshPeer {
  const networks = [`10.100.${name.length}.0/24`, `10.200.${name.length}.0/24`];
  return {
    ...{ nodeId: `id-${name}`, name, publicKey: `${name}-key`, endpoint: '203.0.113.1:51820' },
    ...{ allowedIps: networks, keepaliveSeconds: null, ...change },
  };
}

function asSeen({ publicKey, endpoint, allowedIps, keepaliveSeconds }: MeshPeer, change: Partial<SeenPeer> = {}) {
  const handshakeAt = new Date(now.getTime() - 30_000);
  return { publicKey, endpoint, allowedIps, keepaliveSeconds, handshakeAt, ...change };
}

describe('peers to change', () => {
  it('are none when they are as wanted, in whatever order networks are told', () => {
    const a = peer('a');
    const seen = [asSeen(a, { allowedIps: a.allowedIps.toReversed() })];
    expect(peerChanges({ peers: [a] }, { seen, now })).toEqual([]);
  });

  it('P14: is the one that changed, and no other', () => {
    const peers = Array.from({ length: 254 }, (_, index) => peer('n', { publicKey: `key-${index}` }));
    const seen = peers.map((one) => asSeen(one));
    const changed = { ...peers[100]!, allowedIps: ['10.100.9.0/24', '10.200.9.0/24'] };
    const wanted = peers.with(100, changed);
    expect(peerChanges({ peers: wanted }, { seen, now })).toEqual([{ kind: 'change', peer: changed, endpoint: false }]);
  });

  it('are removed before others are added: a network has one peer', () => {
    const [old, next] = [peer('a', { publicKey: 'old' }), peer('a', { publicKey: 'new' })];
    expect(peerChanges({ peers: [next] }, { seen: [asSeen(old)], now })).toEqual([
      { kind: 'remove', publicKey: 'old' },
      { kind: 'add', peer: next },
    ]);
  });

  it('leaves one that roams where it is heard', () => {
    const a = peer('a');
    const seen = [asSeen(a, { endpoint: '198.51.100.9:1024' })];
    expect(peerChanges({ peers: [a] }, { seen, now })).toEqual([]);
  });

  it('calls one at its address again when it was not heard for three minutes, or never', () => {
    const a = peer('a');
    for (const handshakeAt of [null, new Date(now.getTime() - 181_000)]) {
      const seen = [asSeen(a, { endpoint: '198.51.100.9:1024', handshakeAt })];
      expect(peerChanges({ peers: [a] }, { seen, now })).toEqual([{ kind: 'change', peer: a, endpoint: true }]);
    }
  });

  it('does not ask where one is that calls by itself', () => {
    const a = peer('a', { endpoint: null });
    const seen = [asSeen(a, { endpoint: '198.51.100.9:1024', handshakeAt: null })];
    expect(peerChanges({ peers: [a] }, { seen, now })).toEqual([]);
  });

  it('are described in words', () => {
    const a = peer('a');
    const lines = [
      { kind: 'add', peer: a } as const,
      { kind: 'change', peer: a, endpoint: true } as const,
      { kind: 'remove', publicKey: 'abcdefghijkl' } as const,
      { kind: 'interface', fault: 'key' } as const,
    ].map(describeMeshChange);
    expect(lines).toEqual([
      'Add peer a at 203.0.113.1:51820',
      'Change peer a: call it at 203.0.113.1:51820',
      'Remove peer abcdefgh…: it is no node of this fleet',
      'Give the WireGuard interface the key of this node',
    ]);
  });
});
