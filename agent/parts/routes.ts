/** The routes of a proxy: Traefik, started and supervised, serving what the expected state says. Workers run none of it. */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import type { Traefik } from '../traefik/traefik.ts';
import type { PartDriver } from './parts.ts';

type Wanted = Pick<ExpectedState, 'routes'>;

export function routesDriver(traefik: Traefik): PartDriver<Wanted> {
  return {
    look: async ({ routes }) => {
      if (routes === undefined) return [];
      if (routes === null) return (await traefik.isRunning()) ? ['Traefik runs, and this node is no proxy'] : [];
      return traefik.look(routes);
    },
    apply: async ({ routes }) => {
      if (routes === undefined) return;
      if (routes === null) await traefik.stop();
      else await traefik.apply(routes);
    },
  };
}
