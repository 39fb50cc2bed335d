/** Runs the programs that know WireGuard, addresses and rules: `wg`, `ip`, `nft`, `iptables`. */
import { readFile, writeFile } from 'node:fs/promises';
import { StalledError } from '../../platform/errors/errors.ts';
import { run } from '../process/run.ts';

export interface Shell {
  /** What it prints; null when it ends with another code than 0: what was asked for is not there. */
  readonly ask: (argv: readonly string[]) => Promise<string | null>;
  /** @throws StalledError with what it said when it fails. */
  readonly must: (argv: readonly string[]) => Promise<void>;
  /** Whether the kernel forwards packets between interfaces. */
  readonly forwarding: () => Promise<boolean>;
  readonly enableForwarding: () => Promise<void>;
}

const deadlineMs = 15_000;
const forwardFile = '/proc/sys/net/ipv4/ip_forward';

export function networkShell(env: Readonly<Record<string, string>>): Shell {
  const call = (argv: readonly string[]) => run({ argv, env, deadlineMs });
  return {
    ask: async (argv) => {
      const { code, stdout } = await call(argv);
      return code === 0 ? stdout : null;
    },
    must: async (argv) => {
      const { code, stderr } = await call(argv);
      if (code === 0) return;
      const said = stderr.trim() === '' ? `exit code ${code}` : stderr.trim();
      throw new StalledError('network_refused', `${argv.slice(0, 3).join(' ')}: ${said}`, {
        hint: 'The agent needs root and the programs of wireguard-tools, iproute2, nftables and iptables.',
      });
    },
    forwarding: async () => (await readFile(forwardFile, 'utf8')).trim() === '1',
    enableForwarding: () => writeFile(forwardFile, '1'),
  };
}
