/** Which servers this machine asks, from its resolv.conf(5). */
import { isIP } from 'node:net';
import { readIfThereSync } from '../../platform/files/if-there.ts';
import type { Clock } from '../loop/clock.ts';

export interface Server {
  address: string;
  port: number;
}

/** Without our own address: a question would come back to us for ever. */
export function serversOf(resolvConf: string, ownAddress: string): Server[] {
  const named = resolvConf.split('\n').flatMap((line) => /^\s*nameserver\s+([0-9a-fA-F:.]+)/.exec(line)?.[1] ?? []);
  return named
    .filter((address) => isIP(address) !== 0 && address !== ownAddress)
    .map((address) => ({ address, port: 53 }));
}

const file = '/etc/resolv.conf';
const rereadMs = 5_000;

/** The servers of this machine, read anew every few seconds; none while the file cannot be read. */
export function resolvConf(clock: Pick<Clock, 'now'>, ownAddress: () => string | null): () => Server[] {
  let known: Server[] = [];
  let until = 0;
  return () => {
    const now = clock.now().getTime();
    if (now < until) return known;
    until = now + rereadMs;
    known = serversOf(readText(), ownAddress() ?? '');
    return known;
  };
}

function readText(): string {
  return readIfThereSync(file) ?? '';
}
