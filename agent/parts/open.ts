/** Puts together what a node has besides its containers, from what is on this machine. */
import path from 'node:path';
import type { KeyPair } from '../../platform/crypto/keys.ts';
import type { Releasers } from '../../platform/lifecycle/releasers.ts';
import { resolvConf } from '../dns/resolv-conf.ts';
import { upstream } from '../dns/upstream.ts';
import type { Opener } from '../keys/opener.ts';
import { systemClock } from '../loop/clock.ts';
import type { Bridge } from '../network/bridge.ts';
import type { Shell } from '../network/shell.ts';
import type { EnsureNetwork } from '../podman/network.ts';
import { findProgram } from '../process/find-program.ts';
import { traefik } from '../traefik/traefik.ts';
import { greet } from '../wireguard/greet.ts';
import { wireguard } from '../wireguard/wireguard.ts';
import { namesDriver } from './names.ts';
import { nodePartsOf, type Drivers, type NodeParts } from './parts.ts';
import { peersDriver } from './peers.ts';
import { routesDriver } from './routes.ts';

/** How this node takes part in the private network. */
export interface MeshChoice {
  /** Name of the interface; two agents on one machine use two. */
  device: string;
  /** Program for kernels without WireGuard. */
  userspace: string;
  /** UDP. */
  listenPort: number;
  /** `host:port` that others call; null: to be found out by the control plane. */
  endpoint: string | null;
}

/** How this node serves routes to the world; on workers it is never started. */
export interface ProxyChoice {
  program: string;
  /** Addresses of the entry points: `:80`. */
  http: string;
  https: string;
  /** `127.0.0.1:port` for the agent's own questions. */
  internal: string;
}

export interface PartsOptions {
  dataDir: string;
  /** For keys: memory, not disk. */
  runDir: string;
  bridge: Bridge;
  ensureNetwork: EnsureNetwork;
  mesh: MeshChoice;
  proxy: ProxyChoice;
  /** Whether containers, and with them the proxy, end with the agent. */
  endsWithAgent: boolean;
  env: Readonly<Record<string, string>>;
  shell: Shell;
  keys: KeyPair;
  opener: Opener;
  log: (line: string) => void;
}

const upstreamTimeoutMs = 2_000;

export async function openParts(options: PartsOptions, releasers: Releasers): Promise<NodeParts> {
  const { dataDir, env, log, endsWithAgent } = options;
  const { bridge, ensureNetwork, shell } = options;
  if (endsWithAgent) releasers.defer('bridge', bridge.remove);
  const servers = resolvConf(systemClock, () => names.address());
  const forward = upstream({ servers, clock: systemClock, timeoutMs: upstreamTimeoutMs });
  const names = namesDriver({ bridge, ensureNetwork, upstream: forward, log });
  releasers.defer('dns', names.close);
  const link = wireguard({
    ...{ shell, dataDir, keys: options.keys, log, device: options.mesh.device, greet },
    userspace: await findProgram(options.mesh.userspace, env),
  });
  if (endsWithAgent)
    releasers.defer('private network', async () => {
      if (await link.exists()) await link.remove();
    });
  const proxy = traefik({
    ...options.proxy,
    bind: hostOf(options.proxy.http),
    ...{ env, dataDir, log, openKey: options.opener.certificateKey },
    runDir: path.join(options.runDir, 'traefik'),
    lifetime: endsWithAgent ? 'ends_with_agent' : 'outlives_agent',
  });
  if (endsWithAgent)
    releasers.defer('proxy', async () => {
      if (await proxy.isRunning()) await proxy.stop();
    });
  const drivers: Drivers = { dns: names, routes: routesDriver(proxy), peers: peersDriver(link, systemClock) };
  return nodePartsOf(drivers);
}

/** TCP and UDP services are served where HTTP is; null is every address. */
function hostOf(address: string): string | null {
  const host = address.slice(0, address.lastIndexOf(':'));
  return host === '' ? null : host;
}
