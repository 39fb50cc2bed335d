/** Rollouts and allocations as people and the CLI see them. */
import Type from 'typebox';
import Value from 'typebox/value';
import type { AllocationResource } from '../../core/contract/resources/allocations.ts';
import type {
  ReleaseResource,
  RolloutDetail,
  RolloutEventResource,
  RolloutResource,
} from '../../core/contract/resources/rollouts.ts';
import { ServiceSpec } from '../../core/spec/service.ts';
import type { Db, Prisma, Release, RolloutEvent } from '../client.ts';
import { iso } from './iso.ts';

const include = {
  release: true,
  service: { include: { environment: { select: { name: true } } } },
} as const satisfies Prisma.RolloutInclude;

type RolloutRow = Prisma.RolloutGetPayload<{ include: typeof include }>;

const allocationInclude = {
  node: { select: { name: true } },
  service: { select: { name: true } },
  release: { select: { number: true, spec: true } },
} as const satisfies Prisma.AllocationInclude;

type AllocationRow = Prisma.AllocationGetPayload<{ include: typeof allocationInclude }>;

export interface RolloutQuery {
  serviceId?: string;
  /** Only those made before the one of this id. */
  before?: string;
  limit: number;
}

/** Newest first. */
export async function rolloutResources(db: Db, { serviceId, before, limit }: RolloutQuery): Promise<RolloutResource[]> {
  const rows = await db.rollout.findMany({
    where: {
      ...(serviceId === undefined ? {} : { serviceId }),
      ...(before === undefined ? {} : { id: { lt: before } }),
    },
    include,
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map(rolloutResource);
}

export async function findRolloutDetail(db: Db, id: string): Promise<RolloutDetail | null> {
  const [detail] = await rolloutDetails(db, { id });
  return detail ?? null;
}

/** With timeline and allocations, in the order of their services' names. */
export async function rolloutDetails(db: Db, where: { id: string } | { intentId: string }): Promise<RolloutDetail[]> {
  const rows = await db.rollout.findMany({
    where,
    include: {
      ...include,
      events: { orderBy: { id: 'asc' } },
      allocations: { include: allocationInclude, orderBy: { replica: 'asc' } },
    },
    orderBy: { service: { name: 'asc' } },
  });
  return rows.map((row) => ({
    ...rolloutResource(row),
    timeline: row.events.map(rolloutEventResource),
    allocations: row.allocations.map(allocationResource),
  }));
}

export interface AllocationQuery {
  serviceId?: string;
  nodeId?: string;
}

/** Those that are not stopped, by service and replica. */
export async function allocationResources(db: Db, query: AllocationQuery): Promise<AllocationResource[]> {
  const rows = await db.allocation.findMany({
    where: { ...query, stoppedAt: null },
    include: allocationInclude,
    orderBy: [{ service: { name: 'asc' } }, { serviceId: 'asc' }, { replica: 'asc' }, { id: 'asc' }],
    take: 1_000,
  });
  return rows.map(allocationResource);
}

export function releaseResource(release: Release): ReleaseResource {
  return {
    id: release.id,
    number: release.number,
    sha: release.sha,
    image: `${release.imageName}@${release.imageDigest}`,
    createdAt: iso(release.createdAt),
  };
}

function rolloutResource(row: RolloutRow): RolloutResource {
  return {
    id: row.id,
    serviceId: row.serviceId,
    serviceName: row.service.name,
    environment: row.service.environment.name,
    intentId: row.intentId,
    generation: row.generation,
    stage: row.stage,
    stageSince: iso(row.stageSince),
    reasonCode: row.reasonCode,
    reason: row.reason,
    release: releaseResource(row.release),
    createdAt: iso(row.createdAt),
    finishedAt: iso(row.finishedAt),
  };
}

function rolloutEventResource(event: RolloutEvent): RolloutEventResource {
  const { fromStage, toStage, reasonCode, message } = event;
  return { at: iso(event.at), fromStage, toStage, reasonCode, message };
}

const Port = Type.Pick(ServiceSpec, ['port']);
const Texts = Type.Array(Type.String());

function allocationResource(row: AllocationRow): AllocationResource {
  const { id, serviceId, rolloutId, nodeId, ip, replica, desired, observed, health, detailCode, detail, restarts } =
    row;
  return {
    ...{ id, serviceId, rolloutId, nodeId, ip, replica, desired, observed, health, detailCode, detail, restarts },
    serviceName: row.service.name,
    releaseNumber: row.release.number,
    nodeName: row.node.name,
    port: Value.Check(Port, row.release.spec) ? row.release.spec.port : null,
    lastLog: texts(row.lastLog),
    placement: texts(row.placement),
    createdAt: iso(row.createdAt),
    observedAt: iso(row.observedAt),
    stoppedAt: iso(row.stoppedAt),
  };
}

/** What is only shown and is not as expected is left out: it hides nothing else. */
function texts(value: unknown): string[] {
  return Value.Check(Texts, value) ? value : [];
}
