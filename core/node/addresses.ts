/** The addresses of a node: its subnet number X picks one /24 out of the pool of containers and one out of WireGuard's. */

/** Private blocks of the same size, each a /8 to /24. */
export type AddressPools = {
  /** e.g. `10.200.0.0/16` */
  containers: string;
  /** e.g. `10.100.0.0/16` */
  wireguard: string;
};

export const defaultAddressPools: AddressPools = { containers: '10.200.0.0/16', wireguard: '10.100.0.0/16' };

/** The /24 that node X gives to its containers. */
export function containerCidr(pools: AddressPools, subnet: number): string {
  return `${address(pools.containers, subnet, 0)}/24`;
}

/** The node's own address in that /24: gateway and DNS server of its containers. */
export function containerGateway(pools: AddressPools, subnet: number): string {
  return address(pools.containers, subnet, 1);
}

/** The /24 of node X in the private network between nodes. */
export function wireguardCidr(pools: AddressPools, subnet: number): string {
  return `${address(pools.wireguard, subnet, 0)}/24`;
}

export function wireguardAddress(pools: AddressPools, subnet: number): string {
  return address(pools.wireguard, subnet, 1);
}

/** The highest subnet number; the lowest is 1, so that the pool's first /24 stays free. */
export function highestSubnet(pools: AddressPools): number {
  return Math.min(parsePool(pools.containers).networks, parsePool(pools.wireguard).networks) - 1;
}

function address(pool: string, subnet: number, host: number): string {
  const { base } = parsePool(pool);
  const value = base + subnet * 256 + host;
  return [value / 2 ** 24, value / 2 ** 16, value / 2 ** 8, value].map((part) => Math.floor(part) % 256).join('.');
}

/** @throws RangeError for what is not an IPv4 block of /8 to /24. */
export function parsePool(pool: string): { base: number; networks: number } {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(pool);
  const [a, b, c, d, prefix] = (match ?? []).slice(1).map(Number);
  if (a === undefined || b === undefined || c === undefined || d === undefined || prefix === undefined)
    throw new RangeError(`${pool} is not an IPv4 block such as 10.200.0.0/16.`);
  const base = ((a * 256 + b) * 256 + c) * 256 + d;
  if (Math.max(a, b, c, d) > 255 || prefix < 8 || prefix > 24 || base % 2 ** (32 - prefix) !== 0)
    throw new RangeError(`${pool} is not a block of /8 to /24 that starts at its first address.`);
  return { base, networks: 2 ** (24 - prefix) };
}

/** Whether a block such as `10.100.3.0/24` lies in the pool. */
export function isInPool(block: string, pool: string): boolean {
  const { base, networks } = parsePool(pool);
  const own = parsePool(block);
  return own.base >= base && own.base + own.networks * 256 <= base + networks * 256;
}
