/** Which servers this machine asks, from its resolv.conf(5). */
import { isIP } from 'node:net';

/** Without our own address: a question would come back to us for ever. */
export function serversOf(resolvConf: string, ownAddress: string): { address: string; port: number }[] {
  const named = resolvConf.split('\n').flatMap((line) => /^\s*nameserver\s+([0-9a-fA-F:.]+)/.exec(line)?.[1] ?? []);
  return named
    .filter((address) => isIP(address) !== 0 && address !== ownAddress)
    .map((address) => ({ address, port: 53 }));
}
