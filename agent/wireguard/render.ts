/** What is asked of `wg`, `ip` and `nft`, as arguments and rules; nothing here runs. */
import type { Mesh } from '../../core/contract/mesh.ts';
import type { PeerChange } from '../../core/mesh/changes.ts';

/** One call changes so many peers: far below the limit for arguments. */
const peersPerCall = 200;

/** Peers that are not named stay as they are. */
export function wgSetArgvs(device: string, changes: readonly PeerChange[]): string[][] {
  const calls: string[][] = [];
  for (let from = 0; from < changes.length; from += peersPerCall)
    calls.push(['wg', 'set', device, ...changes.slice(from, from + peersPerCall).flatMap(peerArgs)]);
  return calls;
}

function peerArgs(change: PeerChange): string[] {
  if (change.kind === 'remove') return ['peer', change.publicKey, 'remove'];
  const { peer } = change;
  const called = peer.endpoint !== null && (change.kind === 'add' || change.endpoint);
  return [
    ...['peer', peer.publicKey],
    ...(called ? ['endpoint', peer.endpoint ?? ''] : []),
    ...['persistent-keepalive', String(peer.keepaliveSeconds ?? 0)],
    ...['allowed-ips', peer.allowedIps.join(',')],
  ];
}

/** Both pools go to the interface; this node's own /24 of containers is nearer on its bridge. */
export function linkArgvs(device: string, { address, mtu, pools }: Mesh): string[][] {
  const [own = ''] = address.split('/');
  return [
    ['ip', 'address', 'replace', address, 'dev', device],
    ['ip', 'link', 'set', 'dev', device, 'mtu', String(mtu), 'up'],
    ...[pools.wireguard, pools.containers].map((pool) => ['ip', 'route', 'replace', pool, 'dev', device, 'src', own]),
  ];
}

/**
 * Between containers of two nodes the source address stays: a translation to the address itself, made before the container
 * engine's own, which is then not made any more.
 */
export function renderFirewall(mesh: Pick<Mesh, 'pools'>, table: string): string {
  const rules = ruleLines(mesh).map((rule) => `    ${rule}\n`);
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority 90; policy accept;
${rules.join('')}  }
}
`;
}

/** As `nft list` writes them. */
export function ruleLines({ pools }: Pick<Mesh, 'pools'>): string[] {
  return [pools.containers, pools.wireguard].map(
    (to) => `ip saddr ${pools.containers} ip daddr ${to} snat to ip saddr`,
  );
}
