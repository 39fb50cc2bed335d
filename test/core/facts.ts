/** Plain facts that tests of decisions begin with; each test changes what it is about. */
import type { ExpectedContainer, ExpectedState } from '../../core/contract/expected-state.ts';
import type { HttpRoute, Routes } from '../../core/contract/routes.ts';
import type { AllocationFact } from '../../core/rollout/facts.ts';

/** Of a rollout before the one that is looked at. */
export const healthyAllocation: AllocationFact = {
  id: 'old',
  rolloutId: 'r1',
  releaseId: 'v1',
  nodeId: 'n1',
  replica: 0,
  desired: 'running',
  observed: 'running',
  health: 'healthy',
  detailCode: null,
  detail: null,
  lastLog: [],
  restarts: 0,
  leftOut: null,
};

export function expecting(...containers: ExpectedContainer[]): ExpectedState {
  return {
    nodeId: 'node-1',
    generation: 1,
    network: { name: 'landfall', subnet: '10.200.1.0/24', gateway: '10.200.1.1' },
    registries: [],
    containers,
    work: [],
    problems: [],
  };
}

/** Of names, routes and peers: each is as wanted. */
export const nothingDiffers = { dns: [], routes: [], peers: [] } as const;

export const noRoutes: Routes = { challengeUrl: null, http: [], tcp: [], udp: [], certificates: [] };

export const noHttpOptions: HttpRoute['options'] = {
  requestHeaders: {},
  responseHeaders: {},
  basicAuth: [],
  allow: [],
  rateLimit: null,
  www: null,
  stripPath: false,
};
