/** Derives the expected state of one node from its rows. A bad row is named and left out; the rest goes on (P04). */
import type { ExpectedContainer, ExpectedState, RegistryAccess } from '../contract/expected-state.ts';
import type { WorkOffer } from '../contract/work.ts';

export type ExpectedRow = {
  allocationId: string;
  serviceId: string;
  serviceName: string;
  environment: string;
  releaseId: string;
  generation: number;
  ip: string;
  /** `registry/repository` */
  imageName: string;
  imageDigest: string;
  /** The release's ServiceSpec, as stored. */
  spec: unknown;
  /** JSON of names and values sealed to this node, and what names their content (versions); null without secrets. */
  secrets: { sealed: string; version: string } | null;
  leasedUntil: Date | null;
};

export type ExpectedRows = {
  node: { id: string; generation: number; /** e.g. `10.200.3.0/24` */ containerCidr: string };
  registries: readonly RegistryAccess[];
  /** Allocations of this node whose desired state is running. */
  allocations: readonly ExpectedRow[];
  work: readonly WorkOffer[];
};

export function expectedState(_rows: ExpectedRows): ExpectedState {
  throw new Error('not written yet');
}

/** What shapes a container: any difference is drift (P15). Secrets count by version: sealing them twice differs. */
export type ContainerShape = Pick<
  ExpectedContainer,
  'image' | 'command' | 'env' | 'port' | 'ip' | 'resources' | 'health' | 'stopGraceMs'
> & { secretsVersion: string | null };

export function containerSpecDigest(_shape: ContainerShape): string {
  throw new Error('not written yet');
}

/** A strong ETag, with its quotes. What is sealed does not count: its content is named by spec digest and generation. */
export function etagOf(_state: ExpectedState): string {
  throw new Error('not written yet');
}
