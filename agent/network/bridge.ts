/**
 * Keeps the containers' bridge there with its address, whether a container runs or not: the node's DNS server listens on it. The container
 * engine takes the bridge that it finds, and would take it away with the last container; a pair of interfaces of our own, one of
 * them on the bridge, holds it.
 */
import { createHash } from 'node:crypto';
import Type from 'typebox';
import { Parse } from 'typebox/value';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import type { Shell } from './shell.ts';

export interface Bridge {
  readonly name: string;
  /** What differs, in words. */
  readonly look: (network: ExpectedState['network']) => Promise<string[]>;
  readonly apply: (network: ExpectedState['network']) => Promise<void>;
  /** Unless containers are on it. */
  readonly remove: () => Promise<void>;
}

/** Containers send across WireGuard, whose packets are larger by a header. */
export const bridgeMtu = 1_420;

const Links = Type.Array(
  Type.Object({
    ifname: Type.String(),
    flags: Type.Array(Type.String()),
    master: Type.Optional(Type.String()),
    addr_info: Type.Optional(
      Type.Array(Type.Object({ local: Type.Optional(Type.String()), prefixlen: Type.Optional(Type.Integer()) })),
    ),
  }),
);

/** At most 15 characters name an interface, and two bridges may begin alike. */
function holderNames(bridge: string): { held: string; free: string } {
  const short = createHash('sha256').update(bridge).digest('hex').slice(0, 8);
  return { held: `lf-${short}-h`, free: `lf-${short}-f` };
}

export function keepBridge(shell: Shell, name: string): Bridge {
  const { held, free } = holderNames(name);
  const look: Bridge['look'] = async ({ gateway, subnet }) => {
    const link = await readLink(shell, name);
    if (link === null) return [`the bridge ${name} is missing`];
    const address = `${gateway}/${prefixOf(subnet)}`;
    const addresses = (link.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    return [
      ...(addresses.includes(address) ? [] : [`the bridge ${name} has not the address ${address}`]),
      ...(link.flags.includes('UP') ? [] : [`the bridge ${name} is down`]),
      ...((await readLink(shell, held))?.master === name ? [] : [`nothing holds the bridge ${name}`]),
    ];
  };
  return {
    name,
    look,
    apply: async (network) => {
      if ((await readLink(shell, name)) === null)
        await shell.must(['ip', 'link', 'add', 'name', name, 'type', 'bridge']);
      await shell.must(['ip', 'address', 'replace', `${network.gateway}/${prefixOf(network.subnet)}`, 'dev', name]);
      if ((await readLink(shell, held)) === null)
        await shell.must([
          'ip',
          'link',
          'add',
          'name',
          held,
          'mtu',
          String(bridgeMtu),
          'type',
          'veth',
          'peer',
          'name',
          free,
        ]);
      await shell.must(['ip', 'link', 'set', 'dev', held, 'master', name, 'up']);
      await shell.must(['ip', 'link', 'set', 'dev', name, 'up']);
    },
    remove: async () => {
      await shell.ask(['ip', 'link', 'delete', 'dev', held]);
      if ((await shell.ask(['ip', '-json', 'link', 'show', 'master', name]))?.trim() === '[]')
        await shell.ask(['ip', 'link', 'delete', 'dev', name]);
    },
  };
}

async function readLink(shell: Shell, name: string) {
  const text = await shell.ask(['ip', '-json', 'address', 'show', 'dev', name]);
  return text === null ? null : (Parse(Links, JSON.parse(text))[0] ?? null);
}

function prefixOf(subnet: string): string {
  return subnet.slice(subnet.lastIndexOf('/') + 1);
}
