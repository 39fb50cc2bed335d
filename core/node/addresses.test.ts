import { describe, expect, it } from 'vitest';
import {
  containerCidr,
  containerGateway,
  defaultAddressPools,
  highestSubnet,
  parsePool,
  wireguardAddress,
} from './addresses.ts';

describe('addresses of a node', () => {
  it('gives node X the /24 with X in its third byte', () => {
    expect(containerCidr(defaultAddressPools, 7)).toBe('10.200.7.0/24');
    expect(containerGateway(defaultAddressPools, 7)).toBe('10.200.7.1');
    expect(wireguardAddress(defaultAddressPools, 255)).toBe('10.100.255.1');
  });

  it('serves 255 nodes by default and thousands from larger blocks', () => {
    expect(highestSubnet(defaultAddressPools)).toBe(255);
    const large = { containers: '10.0.0.0/9', wireguard: '10.128.0.0/9' };
    expect(highestSubnet(large)).toBe(32_767);
    expect(containerCidr(large, 300)).toBe('10.1.44.0/24');
  });

  it('serves no more nodes than the smaller block has room for', () => {
    expect(highestSubnet({ containers: '10.200.0.0/16', wireguard: '172.20.0.0/22' })).toBe(3);
  });

  it.each(['10.200.0.0', '10.200.0.0/30', '10.200.0.1/16', '10.256.0.0/16', 'fd00::/8'])('refuses %s', (pool) => {
    expect(() => parsePool(pool)).toThrow(RangeError);
  });
});
