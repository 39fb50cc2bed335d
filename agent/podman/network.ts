/** Keeps the containers' network as the expected state wants it. */
import { StalledError } from '../../platform/errors/errors.ts';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { bridgeMtu, type Bridge } from '../network/bridge.ts';
import type { Podman } from './podman.ts';

export type EnsureNetwork = (network: ExpectedState['network']) => Promise<void>;

/** Looks once per subnet, and again after a failure. The engine takes no subnet that an interface has already, our own bridge's too. */
export function networkKeeper(
  engine: Pick<Podman, 'network' | 'createNetwork' | 'removeNetwork'>,
  { name: bridge, remove: removeBridge }: Pick<Bridge, 'name' | 'remove'>,
): EnsureNetwork {
  let ensured: string | null = null;
  return async (wanted) => {
    if (ensured === wanted.subnet) return;
    ensured = null;
    const existing = await engine.network(wanted.name);
    const subnet = existing?.subnets?.[0]?.subnet ?? 'none';
    const fits = existing !== null && subnet === wanted.subnet && existing.network_interface === bridge;
    if (existing !== null && !fits) await removeUnused(engine, wanted, subnet);
    if (!fits) {
      await removeBridge();
      await engine.createNetwork({ ...wanted, bridge, mtu: bridgeMtu });
    }
    ensured = wanted.subnet;
  };
}

/** The engine refuses to remove a network that containers use: then a person decides. */
async function removeUnused(
  engine: Pick<Podman, 'removeNetwork'>,
  wanted: ExpectedState['network'],
  subnet: string,
): Promise<void> {
  try {
    await engine.removeNetwork(wanted.name);
  } catch (cause) {
    throw new StalledError(
      'network_mismatch',
      `The network ${wanted.name} has the subnet ${subnet}, not ${wanted.subnet}, and containers use it.`,
      {
        hint: `Remove those containers (podman ps --filter network=${wanted.name}), and the agent makes it anew.`,
        cause,
      },
    );
  }
}
