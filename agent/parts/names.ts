/** The names of this node: a DNS server on the gateway address of its containers, which answers what the expected state says. */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { digestOf } from '../../core/spec/digest.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { startDnsServer, type DnsServer } from '../dns/server.ts';
import type { Upstream } from '../dns/upstream.ts';
import type { Bridge } from '../network/bridge.ts';
import type { EnsureNetwork } from '../podman/network.ts';
import type { PartDriver } from './parts.ts';

type Wanted = Pick<ExpectedState, 'network' | 'names'>;

export interface NamesOptions {
  bridge: Bridge;
  /** The container engine's, which comes before the bridge. */
  ensureNetwork: EnsureNetwork;
  upstream: Upstream;
  log: (line: string) => void;
}

export interface NamesDriver extends PartDriver<Wanted> {
  /** At which it listens; null: it does not. */
  readonly address: () => string | null;
  readonly close: () => Promise<void>;
}

const dnsPort = 53;

interface Running {
  server: DnsServer;
  address: string;
  /** Of the names that it serves. */
  digest: string | null;
}

export function namesDriver({ bridge, ensureNetwork, upstream, log }: NamesOptions): NamesDriver {
  let running: Running | null = null;
  const close = async (): Promise<void> => {
    const before = running;
    running = null;
    await before?.server.close();
  };
  return {
    look: async ({ network, names }) => {
      if (names === undefined) return [];
      const differences = await bridge.look(network);
      if (running?.address !== network.gateway) return [...differences, `no DNS server listens at ${network.gateway}`];
      return running.digest === digestOf(names) ? differences : [...differences, 'other names are served'];
    },
    apply: async ({ network, names }) => {
      if (names === undefined) return;
      await ensureNetwork(network);
      await bridge.apply(network);
      if (running?.address !== network.gateway) {
        await close();
        running = { server: await listen(network.gateway, { upstream, log }), address: network.gateway, digest: null };
      }
      running.server.serve(names);
      running.digest = digestOf(names);
    },
    address: () => running?.address ?? null,
    close,
  };
}

async function listen(address: string, options: Pick<NamesOptions, 'upstream' | 'log'>): Promise<DnsServer> {
  try {
    return await startDnsServer({ ...options, address, port: dnsPort });
  } catch (cause) {
    const why = messageOf(cause);
    throw new StalledError('dns_unavailable', `The DNS server cannot listen at ${address}:${dnsPort}: ${why}.`, {
      hint: 'Another DNS server may have taken port 53 of every address: let it listen on its own addresses alone.',
      cause,
    });
  }
}
