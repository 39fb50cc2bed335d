/** Containers as expected and as seen, each with an address of its own, that tests of plans begin with. */
import type { ExpectedContainer } from '../../core/contract/expected-state.ts';
import { labelsOf } from '../../core/plan/labels.ts';
import type { LocalContainer, Observed } from '../../core/plan/observed.ts';
import { defaultHealth } from '../../core/spec/defaults.ts';
import { nothingDiffers } from './facts.ts';

export const container = (id: string, changed: Partial<ExpectedContainer> = {}): ExpectedContainer => ({
  allocationId: id,
  serviceId: 's',
  serviceName: 'web',
  environment: 'production',
  releaseId: 'r',
  generation: 1,
  image: 'registry/web@sha256:1',
  specDigest: 'sha256:spec',
  command: null,
  env: {},
  sealedSecrets: null,
  port: 80,
  ip: `10.200.1.${id.charCodeAt(0)}`,
  resources: { cpuMillis: 100, memoryBytes: 2 ** 26, pids: 10 },
  health: defaultHealth(80),
  stopGraceMs: 1_000,
  leasedUntil: null,
  ...changed,
});

export const local = (expected: ExpectedContainer, changed: Partial<LocalContainer> = {}): LocalContainer => ({
  containerId: `c-${expected.allocationId}`,
  labels: labelsOf(expected),
  state: 'running',
  image: expected.image,
  ip: expected.ip,
  ...changed,
});

export const observed = (...containers: LocalContainer[]): Observed => ({
  containers,
  backoffs: [],
  restarts: [],
  underWay: [],
  parts: nothingDiffers,
});
