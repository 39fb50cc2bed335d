/** Keeps this node's end of the private network as it is wanted. Peers are changed in place, one by one (P14). */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Mesh } from '../../core/contract/mesh.ts';
import { describeMeshChange, type InterfaceFault, type MeshChange } from '../../core/mesh/changes.ts';
import { isInPool } from '../../core/node/addresses.ts';
import { makeDevice, removeDevice } from './device.ts';
import { forwardCheck, forwardRule, lookAtMesh, type Wanted } from './look.ts';
import { linkArgvs, renderFirewall, wgSetArgvs } from './render.ts';
import type { Shell } from '../network/shell.ts';

export interface WireguardOptions {
  shell: Shell;
  /** Of the interface; two agents on one machine use two. */
  device: string;
  /** Raw keys, base64url. */
  keys: { publicKey: string; privateKey: string };
  dataDir: string;
  /** For kernels without WireGuard; null when there is none. */
  userspace: string | null;
  /** Sends something, whatever it is, to this address in the private network. */
  greet: (address: string) => void;
  log: (line: string) => void;
}

export interface Wireguard {
  /** What differs, in the order in which `apply` mends it. */
  readonly look: (mesh: Mesh, now: Date) => Promise<MeshChange[]>;
  /** Mends what differs, and gives it. */
  readonly apply: (mesh: Mesh, now: Date) => Promise<MeshChange[]>;
  /** Whether its interface is there: one of the same name with another key is somebody else's. */
  readonly exists: () => Promise<boolean>;
  /** Takes the interface and its rules away. */
  readonly remove: () => Promise<void>;
}

export function wireguard(options: WireguardOptions): Wireguard {
  const { shell, device } = options;
  const table = device.replaceAll('-', '_');
  const wanted = (mesh: Mesh): Wanted => ({ device, table, mesh, publicKey: base64(options.keys.publicKey) });
  const look: Wireguard['look'] = (mesh, now) => lookAtMesh(shell, wanted(mesh), now);
  return {
    look,
    apply: async (mesh, now) => {
      const changes = await look(mesh, now);
      const faults = new Set(changes.flatMap((change) => (change.kind === 'interface' ? change.fault : [])));
      await mendInterface(options, { mesh, faults, table });
      const peers = changes.filter((change) => change.kind !== 'interface');
      for (const argv of wgSetArgvs(device, peers)) await shell.must(argv);
      // One that knew us before, with keys that are gone, would find out only after it was not answered for a while.
      for (const address of changedAddresses(mesh, peers)) options.greet(address);
      for (const change of changes) options.log(describeMeshChange(change));
      return changes;
    },
    exists: async () => {
      // A node that is alone need not have wg.
      if ((await shell.ask(['ip', 'link', 'show', 'dev', device])) === null) return false;
      const key = await shell.ask(['wg', 'show', device, 'public-key']);
      return key?.trim() === base64(options.keys.publicKey);
    },
    remove: async () => {
      await removeDevice(shell, device);
      await shell.ask(['nft', 'delete', 'table', 'ip', table]);
      while ((await shell.ask(['iptables', '--wait', '5', '--delete', 'FORWARD', ...forwardRule(device)])) !== null);
    },
  };
}

/** Of the nodes at and behind the peers that were added or changed. */
function changedAddresses(mesh: Mesh, changes: readonly MeshChange[]): string[] {
  const pool = mesh.pools.wireguard;
  return changes
    .flatMap((change) => ('peer' in change && change.peer.endpoint !== null ? change.peer.allowedIps : []))
    .filter((network) => isInPool(network, pool))
    .map((network) => network.replace(/\.0\/24$/, '.1'));
}

interface Mending {
  mesh: Mesh;
  faults: ReadonlySet<InterfaceFault>;
  table: string;
}

async function mendInterface(options: WireguardOptions, { mesh, faults, table }: Mending): Promise<void> {
  const { shell, device } = options;
  const has = (...any: InterfaceFault[]): boolean => any.some((one) => faults.has(one));
  if (has('missing')) await makeDevice(shell, options);
  if (has('missing', 'key', 'port')) await setKey(options, mesh.listenPort);
  if (has('missing', 'address', 'routes')) for (const argv of linkArgvs(device, mesh)) await shell.must(argv);
  if (has('missing', 'firewall')) await loadRules(options, renderFirewall(mesh, table));
  if (has('missing', 'forwarding')) {
    await shell.enableForwarding();
    if ((await shell.ask(forwardCheck(device))) === null)
      await shell.must(['iptables', '--wait', '5', '--insert', 'FORWARD', '1', ...forwardRule(device)]);
  }
}

/** `wg` takes the key from a file only. */
async function setKey({ shell, device, keys, dataDir }: WireguardOptions, listenPort: number): Promise<void> {
  const file = path.join(dataDir, 'wireguard.key');
  await writeFile(file, `${base64(keys.privateKey)}\n`, { mode: 0o600 });
  try {
    await shell.must(['wg', 'set', device, 'listen-port', String(listenPort), 'private-key', file]);
  } finally {
    await rm(file, { force: true });
  }
}

async function loadRules({ shell, dataDir }: WireguardOptions, rules: string): Promise<void> {
  const file = path.join(dataDir, 'wireguard.nft');
  await writeFile(file, rules);
  await shell.must(['nft', '--file', file]);
}

function base64(raw: string): string {
  return Buffer.from(raw, 'base64url').toString('base64');
}
