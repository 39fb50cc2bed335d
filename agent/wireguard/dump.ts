/** Reads `wg show DEVICE dump`: tab-separated, the interface first, then one peer a line (wg(8)). */
import type { SeenPeer } from '../../core/mesh/changes.ts';

export interface Dump {
  /** Empty while the interface has no key. */
  publicKey: string;
  listenPort: number;
  peers: SeenPeer[];
}

export function parseDump(text: string): Dump {
  const [device = '', ...peers] = text.split('\n').filter((line) => line !== '');
  const [, publicKey = '', listenPort = '0'] = device.split('\t');
  return { publicKey: orNull(publicKey) ?? '', listenPort: Number(listenPort), peers: peers.map(peerOf) };
}

function peerOf(line: string): SeenPeer {
  const [publicKey = '', , endpoint = '', allowedIps = '', handshake = '0', , , keepalive = 'off'] = line.split('\t');
  const seconds = Number(handshake);
  return {
    publicKey,
    endpoint: orNull(endpoint),
    allowedIps: (orNull(allowedIps) ?? '').split(',').filter((network) => network !== ''),
    keepaliveSeconds: keepalive === 'off' ? null : Number(keepalive),
    handshakeAt: seconds === 0 ? null : new Date(seconds * 1_000),
  };
}

function orNull(text: string): string | null {
  return text === '(none)' ? null : text;
}
