/** Decides where a node is placed in the private network, from what it reports and from where its reports come. */
import type { StatusReport } from '../contract/status.ts';

export type MeshPlace = {
  /** Its end of its connection to the control plane, as it sees it. */
  ownAddress: string | null;
  /** The same, as the control plane sees it. */
  seenAddress: string | null;
  /** Null: its agent has no WireGuard. */
  listenPort: number | null;
  /** `host:port` that others call. */
  endpoint: string | null;
};

type Reported = Pick<StatusReport, 'publicAddress' | 'wireguard'>;

/**
 * A node that reports from the control plane's own machine is where the control plane is for all others: at its public name.
 * @param publicUrl Of the control plane.
 */
export function meshPlace(seen: { reported: Reported; seenAddress: string; publicUrl: string }): MeshPlace {
  const { publicAddress, wireguard } = seen.reported;
  const listenPort = wireguard?.listenPort ?? null;
  const ownAddress = plain(publicAddress);
  const seenAddress = plain(seen.seenAddress);
  const given = wireguard?.endpoint ?? null;
  if (seenAddress !== null && !isLoopback(seenAddress)) return { ownAddress, seenAddress, listenPort, endpoint: given };
  const { hostname } = new URL(seen.publicUrl);
  const endpoint = listenPort === null || isLoopback(plain(hostname) ?? '') ? null : `${hostname}:${listenPort}`;
  return { ownAddress: null, seenAddress: null, listenPort, endpoint: given ?? endpoint };
}

/** An IPv4 address that came in as an IPv6 one is the same. */
function plain(address: string | null): string | null {
  return address === null ? null : address.replace(/^::ffff:(?=\d+\.)/, '').replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\./.test(address);
}
