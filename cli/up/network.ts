/** The containers' network of a local Landfall: a bridge and addresses that no other one on this machine has. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { parsePool } from '../../core/node/addresses.ts';
import { defaultFirstPort } from '../bootstrap/ports.mjs';

const LocalNetwork = Type.Object({
  bridge: Type.String(),
  /** Private block of /8 to /22; the first node has the second /24 of it. */
  pool: Type.String(),
});
export type LocalNetwork = Static<typeof LocalNetwork>;

/** An interface that is up, with one of its addresses, such as `10.0.0.5/24`. */
export interface UsedAddress {
  name: string;
  cidr: string;
}

/** Ports come in fours, and 10.0.0.0/8 has as many blocks of four /24s: lines whose ports differ never share an address. */
function ownNetwork(firstPort: number): LocalNetwork {
  if (firstPort === defaultFirstPort) return { bridge: 'landfall0', pool: '10.200.0.0/16' };
  const block = Math.floor(firstPort / 4);
  return { bridge: `landfall-${firstPort}`, pool: `10.${block >> 6}.${(block & 63) * 4}.0/22` };
}

function range(cidr: string): { first: number; last: number } {
  const [address = '', prefix = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = value - (value % size);
  return { first, last: first + size - 1 };
}

/** The interface whose network has addresses of the pool; null when none has. */
export function occupant(pool: string, used: readonly UsedAddress[]): string | null {
  const { base, networks } = parsePool(pool);
  const last = base + networks * 256 - 1;
  const found = used.find(({ cidr }) => range(cidr).first <= last && range(cidr).last >= base);
  return found?.name ?? null;
}

/** For a first start: the network of these ports, with other addresses when the machine's own are in the way. */
export function chooseNetwork(firstPort: number, used: readonly UsedAddress[]): LocalNetwork {
  const own = ownNetwork(firstPort);
  const others = Array.from({ length: 16 }, (_none, index) => `172.${16 + index}.0.0/16`);
  return { ...own, pool: [own.pool, ...others].find((pool) => occupant(pool, used) === null) ?? own.pool };
}

export function usedAddresses(): UsedAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).flatMap(({ family, internal, cidr }) =>
      family === 'IPv4' && !internal && cidr !== null ? [{ name, cidr }] : [],
    ),
  );
}

const fileIn = (dataDir: string): string => path.join(dataDir, 'network.json');

/** What the first start chose: containers keep their addresses, whatever the ports are later. Nothing is written yet. */
export function rememberedNetwork(dataDir: string, firstPort: number, used: readonly UsedAddress[]): LocalNetwork {
  const file = fileIn(dataDir);
  if (existsSync(file)) return Value.Parse(LocalNetwork, JSON.parse(readFileSync(file, 'utf8')));
  return chooseNetwork(firstPort, used);
}

/** To be called when the start is certain to be tried. */
export function rememberNetwork(dataDir: string, network: LocalNetwork): void {
  writeFileSync(fileIn(dataDir), JSON.stringify(network));
}
