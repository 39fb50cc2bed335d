/** Derives the expected state of one node from its rows. A bad row is named and left out; the rest goes on (P04). */
import Value from 'typebox/value';
import type { ExpectedContainer, ExpectedState, RegistryAccess } from '../contract/expected-state.ts';
import type { Mesh } from '../contract/mesh.ts';
import type { WorkOffer } from '../contract/work.ts';
import { digestOf } from '../spec/digest.ts';
import { ServiceSpec } from '../spec/service.ts';

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
  /** `registry/repository@sha256:…` of the newest releases of services that ran on this node. */
  keptImages: readonly string[];
  /** Null: it is the only node, or its agent takes no part. */
  mesh: Mesh | null;
};

type Problem = ExpectedState['problems'][number];

export function expectedState({ node, registries, allocations, work, keptImages, mesh }: ExpectedRows): ExpectedState {
  const derived = allocations.map((row) => ({ row, result: containerOf(row, node.containerCidr) }));
  const containers = derived.flatMap(({ result }) => ('specDigest' in result ? result : []));
  const problems = derived.flatMap(({ result }) => ('message' in result ? result : []));
  const clashing = clashes(containers);
  return {
    nodeId: node.id,
    generation: node.generation,
    network: {
      name: 'landfall',
      subnet: node.containerCidr,
      gateway: `${prefixOf(node.containerCidr)}1`,
    },
    registries: registries.toSorted(by(({ host }) => host)),
    containers: containers
      .filter(({ allocationId }) => !clashing.has(allocationId))
      .sort(by(({ allocationId }) => allocationId)),
    keptImages: [...new Set(keptImages)].sort(),
    mesh,
    work: work.toSorted(by(({ workId }) => workId)),
    problems: [...problems, ...[...clashing.values()]].sort(by(({ serviceId, message }) => `${serviceId} ${message}`)),
  };
}

function containerOf(row: ExpectedRow, containerCidr: string): ExpectedContainer | Problem {
  const problem = (why: string): Problem => ({ serviceId: row.serviceId, message: `${row.serviceName}: ${why}` });
  const { spec } = row;
  if (!Value.Check(ServiceSpec, spec)) return problem(`its spec cannot be understood: ${firstError(spec)}.`);
  if (!/^sha256:[0-9a-f]{64}$/.test(row.imageDigest)) return problem(`${row.imageDigest} is not an image digest.`);
  if (!row.ip.startsWith(prefixOf(containerCidr))) return problem(`${row.ip} is not an address of this node.`);
  if (spec.secrets.length > 0 && row.secrets === null)
    return problem(`its secrets are missing: ${spec.secrets.join(', ')}.`);
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
  return {
    allocationId: row.allocationId,
    serviceId: row.serviceId,
    serviceName: row.serviceName,
    environment: row.environment,
    releaseId: row.releaseId,
    generation: row.generation,
    specDigest: containerSpecDigest({ ...shape, secretsVersion: row.secrets?.version ?? null }),
    sealedSecrets: row.secrets?.sealed ?? null,
    leasedUntil: row.leasedUntil?.toISOString() ?? null,
    ...shape,
  };
}

/** Of two allocations with one address the later is left out: the other may be serving with it. */
function clashes(containers: readonly ExpectedContainer[]): Map<string, Problem> {
  const owners = new Map<string, ExpectedContainer>();
  const refused = new Map<string, Problem>();
  const inOrder = containers.toSorted(
    by(({ generation, allocationId }) => `${String(generation).padStart(12, '0')} ${allocationId}`),
  );
  for (const container of inOrder) {
    const owner = owners.get(container.ip);
    if (!owner) owners.set(container.ip, container);
    else {
      const message = `${container.serviceName}: ${container.ip} is taken by ${owner.serviceName}.`;
      refused.set(container.allocationId, { serviceId: container.serviceId, message });
    }
  }
  return refused;
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

function firstError(spec: unknown): string {
  const [error] = Value.Errors(ServiceSpec, spec);
  return error ? `${error.instancePath === '' ? 'it' : error.instancePath} ${error.message}` : 'it has another shape';
}

function prefixOf(containerCidr: string): string {
  return containerCidr.slice(0, containerCidr.lastIndexOf('.') + 1);
}

function by<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}
