import { describe, expect, it } from 'vitest';
import type { MeshPeer } from '../../core/contract/mesh.ts';
import { linkArgvs, renderFirewall, wgSetArgvs } from './render.ts';

const pools = { containers: '10.200.0.0/16', wireguard: '10.100.0.0/16' };

function peer(index: number, change: Partial<MeshPeer> = {}): MeshPeer {
  const networks = [`10.100.${index}.0/24`, `10.200.${index}.0/24`];
  return {
    ...{
      nodeId: String(index),
      name: `node-${index}`,
      publicKey: `key-${index}`,
      endpoint: `203.0.113.${index}:51820`,
    },
    ...{ allowedIps: networks, keepaliveSeconds: null, ...change },
  };
}

describe('wg set', () => {
  it('names only the peers that change', () => {
    const changes = [
      { kind: 'remove', publicKey: 'old' } as const,
      { kind: 'add', peer: peer(2) } as const,
      { kind: 'change', peer: peer(3, { keepaliveSeconds: 25 }), endpoint: false } as const,
      { kind: 'add', peer: peer(4, { endpoint: null }) } as const,
    ];
    expect(wgSetArgvs('landfall-wg', changes).map((argv) => argv.join(' '))).toEqual([
      [
        'wg set landfall-wg peer old remove',
        'peer key-2 endpoint 203.0.113.2:51820 persistent-keepalive 0 allowed-ips 10.100.2.0/24,10.200.2.0/24',
        'peer key-3 persistent-keepalive 25 allowed-ips 10.100.3.0/24,10.200.3.0/24',
        'peer key-4 persistent-keepalive 0 allowed-ips 10.100.4.0/24,10.200.4.0/24',
      ].join(' '),
    ]);
  });

  it('is not called for nothing, and twice for very many', () => {
    const adds = Array.from({ length: 254 }, (_, index) => ({ kind: 'add' as const, peer: peer(index) }));
    expect(wgSetArgvs('wg', [])).toEqual([]);
    expect(wgSetArgvs('wg', adds).map((argv) => argv.filter((word) => word === 'peer').length)).toEqual([200, 54]);
  });
});

it('gives the interface its address, its size, and both pools', () => {
  const mesh = { address: '10.100.3.1/24', listenPort: 51_820, mtu: 1_420, pools, peers: [] };
  expect(linkArgvs('landfall-wg', mesh).map((argv) => argv.join(' '))).toEqual([
    'ip address replace 10.100.3.1/24 dev landfall-wg',
    'ip link set dev landfall-wg mtu 1420 up',
    'ip route replace 10.100.0.0/16 dev landfall-wg src 10.100.3.1',
    'ip route replace 10.200.0.0/16 dev landfall-wg src 10.100.3.1',
  ]);
});

it('keeps source addresses between containers, and replaces only its own table', () => {
  expect(renderFirewall({ pools }, 'landfall')).toMatchInlineSnapshot(`
    "add table ip landfall
    delete table ip landfall
    table ip landfall {
      chain postrouting {
        type nat hook postrouting priority 90; policy accept;
        ip saddr 10.200.0.0/16 ip daddr 10.200.0.0/16 snat to ip saddr
        ip saddr 10.200.0.0/16 ip daddr 10.100.0.0/16 snat to ip saddr
      }
    }
    "
  `);
});
