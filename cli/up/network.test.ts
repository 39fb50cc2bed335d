import { expect, it } from 'vitest';
import { chooseNetwork, occupant } from './network.ts';
import { defaultFirstPort } from '../bootstrap/ports.mjs';

it('gives lines with other ports other bridges and other addresses', () => {
  const firstPorts = [defaultFirstPort, 1024, 9000, 9004, 65_532];
  const networks = firstPorts.map((port) => chooseNetwork(port, []));
  expect(networks[0]).toEqual({ bridge: 'landfall0', pool: '10.200.0.0/16' });
  expect(networks[2]).toEqual({ bridge: 'landfall-9000', pool: '10.35.40.0/22' });
  expect(new Set(networks.map(({ bridge }) => bridge)).size).toBe(firstPorts.length);
  for (const [index, { bridge, pool }] of networks.entries()) {
    expect(bridge.length).toBeLessThanOrEqual(15);
    const others = networks.filter((_network, other) => other !== index);
    expect(
      occupant(
        pool,
        others.map((other) => ({ name: other.bridge, cidr: other.pool })),
      ),
    ).toBeNull();
  }
});

it('keeps away from addresses that the machine has', () => {
  const used = [
    { name: 'eth0', cidr: '10.0.0.5/8' },
    { name: 'docker0', cidr: '172.17.0.1/16' },
    { name: 'vpn', cidr: '172.16.9.1/24' },
  ];
  expect(chooseNetwork(defaultFirstPort, used).pool).toBe('172.18.0.0/16');
  expect(occupant('10.200.0.0/16', used)).toBe('eth0');
  expect(occupant('10.200.0.0/16', [{ name: 'tun0', cidr: '10.200.7.1/32' }])).toBe('tun0');
  expect(occupant('10.200.0.0/16', [{ name: 'eth0', cidr: '192.168.1.2/24' }])).toBeNull();
});
