/** This node's end of the private network, as the expected state says. */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { describeMeshChange } from '../../core/mesh/changes.ts';
import type { Clock } from '../loop/clock.ts';
import type { Wireguard } from '../wireguard/wireguard.ts';
import type { PartDriver } from './parts.ts';

type Wanted = Pick<ExpectedState, 'mesh'>;

/** A node that is alone has no private network; one that was given up is taken away. */
export function peersDriver(wireguard: Wireguard, clock: Clock): PartDriver<Wanted> {
  return {
    look: async ({ mesh }) => {
      if (mesh === undefined) return [];
      if (mesh === null) return (await wireguard.exists()) ? ['there is a private network, and none is wanted'] : [];
      return (await wireguard.look(mesh, clock.now())).map(describeMeshChange);
    },
    apply: async ({ mesh }) => {
      if (mesh === undefined) return;
      if (mesh === null) await wireguard.remove();
      else await wireguard.apply(mesh, clock.now());
    },
  };
}
