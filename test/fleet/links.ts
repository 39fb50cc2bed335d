/**
 * Faults of the wires between machines: a link is cut, or lets packets pass in one direction only. The public network stands for
 * the internet, where a far machine's packets get lost and the next router answers: what is lost is IP, never the
 * resolution of addresses, whose retries (once a second) a mended link would have to wait for.
 */
import { portOf, type Network } from '../../cli/fleet/wires.ts';

export interface Links {
  /** From the machine with this host part to the other, and not back. */
  cutOneWay(from: number, to: number): Promise<void>;
  cut(one: number, other: number): Promise<void>;
  /** Every link is whole again. */
  mend(): Promise<void>;
}

const table = ['bridge', 'faults'] as const;
const chain = [...table, 'forward'] as const;

export async function linksOf({ space }: Network): Promise<Links> {
  const nft = (...words: string[]): Promise<string> => space.run(['nft', ...words]);
  await nft('add', 'table', ...table);
  await nft('add', 'chain', ...chain, '{ type filter hook forward priority 0; }');
  const cutOneWay = async (from: number, to: number): Promise<void> => {
    await nft(
      'add',
      'rule',
      ...chain,
      'iifname',
      portOf(from),
      'oifname',
      portOf(to),
      'ether',
      'type',
      '{ ip, ip6 }',
      'drop',
    );
  };
  return {
    cutOneWay,
    async cut(one, other) {
      await cutOneWay(one, other);
      await cutOneWay(other, one);
    },
    async mend() {
      await nft('flush', 'chain', ...chain);
    },
  };
}
