import { describe, expect, it } from 'vitest';
import { meshPlace } from './place.ts';

const publicUrl = 'https://landfall.example.com:8443';
const place = (publicAddress: string | null, seenAddress: string, endpoint: string | null = null, url = publicUrl) =>
  meshPlace({ reported: { publicAddress, wireguard: { listenPort: 51_820, endpoint } }, seenAddress, publicUrl: url });

describe('the place of a node in the private network', () => {
  it('is where its reports come from', () => {
    const seen = { ownAddress: '192.168.1.7', seenAddress: '203.0.113.4', listenPort: 51_820, endpoint: null };
    expect(place('192.168.1.7', '203.0.113.4')).toEqual(seen);
    expect(place('::ffff:192.168.1.7', '::ffff:203.0.113.4')).toEqual(seen);
    expect(place('192.168.1.7', '203.0.113.4', 'home:4000')).toEqual({ ...seen, endpoint: 'home:4000' });
  });

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('is that of the control plane when they come from %s', (seen) => {
    const nowhere = { ownAddress: null, seenAddress: null, listenPort: 51_820 };
    expect(place(seen, seen)).toEqual({ ...nowhere, endpoint: 'landfall.example.com:51820' });
    expect(place(seen, seen, 'given:1')).toEqual({ ...nowhere, endpoint: 'given:1' });
    for (const own of ['http://127.0.0.1:7780', 'http://localhost:7780', 'http://[::1]:7780'])
      expect(place(seen, seen, null, own)).toEqual({ ...nowhere, endpoint: null });
  });

  it('is none of an agent without WireGuard', () => {
    const seen = { reported: { publicAddress: '203.0.113.4' }, seenAddress: '203.0.113.4', publicUrl };
    expect(meshPlace(seen)).toMatchObject({ listenPort: null, endpoint: null });
  });
});
