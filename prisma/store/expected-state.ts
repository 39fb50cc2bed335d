/** The rows behind a node's expected state, all of one moment. Every change to them bumps the node's generation (nodes.ts). */
import Type from 'typebox';
import Value from 'typebox/value';
import type { MeshNode } from '../../core/mesh/mesh.ts';
import type { WorkOffer } from '../../core/contract/work.ts';
import { keptImageReleases } from '../../core/retention/policy.ts';
import { snapshot, type Database, type Db, type Prisma } from '../client.ts';
import { meshNodes } from './mesh.ts';
import { workOffers } from './work-items.ts';

export interface ExpectedAllocation {
  allocationId: string;
  serviceId: string;
  serviceName: string;
  environment: string;
  releaseId: string;
  generation: number;
  ip: string;
  imageName: string;
  imageDigest: string;
  /** As stored: whoever uses it checks it, for this one service alone (P04). */
  spec: unknown;
  /** The secrets that the spec names, each an envelope, in the versions that the release was made with. */
  secrets: ExpectedSecret[];
}

export interface ExpectedSecret {
  id: string;
  name: string;
  version: number;
  valueSealed: Uint8Array;
}

export interface ExpectedSnapshot {
  node: { id: string; generation: number; subnet: number; sealingKey: string };
  allocations: ExpectedAllocation[];
  work: WorkOffer[];
  /** Of the newest releases of services that ran on the node. */
  keptImages: string[];
  /** All nodes that take part in the private network. */
  mesh: MeshNode[];
}

const include = {
  release: { include: { secrets: { include: { secret: true }, orderBy: { name: 'asc' } } } },
  service: { include: { environment: true } },
} as const satisfies Prisma.AllocationInclude;

type AllocationRow = Prisma.AllocationGetPayload<{ include: typeof include }>;

/** Null when the node is gone. */
export async function loadExpectedSnapshot(
  database: Database,
  nodeId: string,
  now: Date,
): Promise<ExpectedSnapshot | null> {
  return snapshot(database, (tx) => load(tx, nodeId, now));
}

async function load(tx: Db, nodeId: string, now: Date): Promise<ExpectedSnapshot | null> {
  const node = await tx.node.findFirst({
    where: { id: nodeId, removedAt: null },
    select: { id: true, generation: true, subnet: true, sealingKey: true },
  });
  if (node === null) return null;
  const rows = await tx.allocation.findMany({ where: { nodeId, desired: 'running' }, include, orderBy: { id: 'asc' } });
  return {
    node,
    allocations: rows.map(expectedAllocation),
    work: await workOffers(tx, nodeId),
    keptImages: await keptImages(tx, nodeId),
    mesh: await meshNodes(tx, now),
  };
}

/** Far more than a disk holds. */
const imagesAtMost = 500;

async function keptImages(tx: Db, nodeId: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ image: string }[]>`
    SELECT release."imageName" || '@' || release."imageDigest" AS image
    FROM (SELECT DISTINCT "serviceId" FROM "Allocation" WHERE "nodeId" = ${nodeId}::uuid) AS ran
      JOIN "Service" AS service ON service.id = ran."serviceId" AND service."removedAt" IS NULL
      JOIN LATERAL (
        SELECT id FROM "Release" WHERE "serviceId" = service.id ORDER BY number DESC LIMIT ${keptImageReleases}
      ) AS newest ON true
      JOIN "Release" AS release ON release.id IN (newest.id, service."servingReleaseId")
    GROUP BY image ORDER BY max(release."createdAt") DESC LIMIT ${imagesAtMost}`;
  return rows.map(({ image }) => image);
}

function expectedAllocation(row: AllocationRow): ExpectedAllocation {
  const { release, service } = row;
  const names = secretNames(release.spec);
  const pinned = release.secrets.map(({ secret }) => secret).filter(({ name }) => names.includes(name));
  return {
    allocationId: row.id,
    serviceId: service.id,
    serviceName: service.name,
    environment: service.environment.name,
    releaseId: release.id,
    generation: row.generation,
    ip: row.ip,
    imageName: release.imageName,
    imageDigest: release.imageDigest,
    spec: release.spec,
    secrets: pinned,
  };
}

const SecretNames = Type.Object({ secrets: Type.Array(Type.String()) });

/** A spec that cannot be read names none: its service is left out later, with the reason. */
function secretNames(spec: unknown): string[] {
  return Value.Check(SecretNames, spec) ? spec.secrets : [];
}
