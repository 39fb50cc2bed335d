/** Derives the expected state of one node from its rows. A bad row is named and left out; the rest goes on (P04). */
import Value from 'typebox/value';
import type { ExpectedContainer, ExpectedState, RegistryAccess } from '../contract/expected-state.ts';
import type { Mesh } from '../contract/mesh.ts';
import type { WorkOffer } from '../contract/work.ts';
import { digestOf } from '../spec/digest.ts';
import { ServiceSpec } from '../spec/service.ts';
import { leftOutReplicas, prefixOf, type ReplicaFacts } from './left-out.ts';

export type ExpectedRow = Omit<ReplicaFacts, 'containerCidr'> & {
  serviceId: string;
  environment: string;
  releaseId: string;
  /** `registry/repository` */
  imageName: string;
  /** JSON of names and values sealed to this node, and what names their content (versions); null without secrets. */
  sealed: { secrets: string; version: string } | null;
  leasedUntil: Date | null;
};

export type ExpectedRows = {
  node: { id: string; generation: number; /** e.g. `10.200.3.0/24` */ containerCidr: string };
  registries: readonly RegistryAccess[];
  /** Allocations of this node whose desired state is running. */
  allocations: readonly ExpectedRow[];
  work: readonly WorkOffer[];
  /** `registry/repository@sha256:…` of the newest releases of services that ran on this node. */
  keptImages: readonly string[];
  /** Null: it is the only node, or its agent takes no part. */
  mesh: Mesh | null;
};

export function expectedState({ node, registries, allocations, work, keptImages, mesh }: ExpectedRows): ExpectedState {
  const { containerCidr } = node;
  const leftOut = leftOutReplicas(allocations.map((row) => ({ ...row, containerCidr })));
  const problems = allocations.flatMap(({ allocationId, serviceId, serviceName }) => {
    const why = leftOut.get(allocationId);
    return why === undefined ? [] : [{ serviceId, message: `${serviceName}: ${why.message}` }];
  });
  return {
    nodeId: node.id,
    generation: node.generation,
    network: { name: 'landfall', subnet: containerCidr, gateway: `${prefixOf(containerCidr)}1` },
    registries: registries.toSorted(by(({ host }) => host)),
    containers: allocations
      .filter(({ allocationId }) => !leftOut.has(allocationId))
      .flatMap(containerOf)
      .sort(by(({ allocationId }) => allocationId)),
    keptImages: [...new Set(keptImages)].sort(),
    mesh,
    work: work.toSorted(by(({ workId }) => workId)),
    problems: problems.sort(by(({ serviceId, message }) => `${serviceId} ${message}`)),
  };
}

/** None of a spec that cannot be read, which is left out. */
function containerOf(row: ExpectedRow): ExpectedContainer[] {
  const { spec } = row;
  if (!Value.Check(ServiceSpec, spec)) return [];
  const shape = {
    image: `${row.imageName}@${row.imageDigest}`,
    command: spec.command,
    env: spec.env,
    port: spec.port,
    ip: row.ip,
    resources: spec.resources,
    health: spec.health,
    stopGraceMs: spec.stopGraceMs,
  };
  return [
    {
      allocationId: row.allocationId,
      serviceId: row.serviceId,
      serviceName: row.serviceName,
      environment: row.environment,
      releaseId: row.releaseId,
      generation: row.generation,
      specDigest: containerSpecDigest({ ...shape, secretsVersion: row.sealed?.version ?? null }),
      sealedSecrets: row.sealed?.secrets ?? null,
      leasedUntil: row.leasedUntil?.toISOString() ?? null,
      ...shape,
    },
  ];
}

/** What shapes a container: any difference is drift (P15). Secrets count by version: sealing them twice differs. */
export type ContainerShape = Pick<
  ExpectedContainer,
  'image' | 'command' | 'env' | 'port' | 'ip' | 'resources' | 'health' | 'stopGraceMs'
> & { secretsVersion: string | null };

export function containerSpecDigest(shape: ContainerShape): string {
  return digestOf(shape);
}

/**
 * A strong ETag, with its quotes. What is sealed does not count: its content is named by spec digest and generation. Nor do kept images:
 * an older list of them only keeps others, and what runs is kept in any case.
 */
export function etagOf(state: ExpectedState): string {
  const containers = state.containers.map(({ sealedSecrets: _sealed, ...shown }) => shown);
  const registries = state.registries.map(({ sealedCredentials, ...shown }) => ({
    ...shown,
    open: sealedCredentials === null,
  }));
  const { keptImages: _kept, ...rest } = state;
  return `"${digestOf({ ...rest, containers, registries }).slice('sha256:'.length)}"`;
}

function by<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}
