/** Builds as the worker moves them: read with their work, offered to a node, ended. Every write compares what was read. */
import Type from 'typebox';
import Value from 'typebox/value';
import { Capability, NodeResources } from '../../core/contract/status.ts';
import type { BuildNode } from '../../core/build/decide.ts';
import { BuildSpec } from '../../core/spec/service.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { Build, Db, Prisma, WorkItem } from '../client.ts';
import { safeNumber } from './safe-number.ts';

export interface BuildSnapshot {
  build: Build;
  /** Null when it cannot be read. */
  spec: BuildSpec | null;
  work: WorkItem[];
  repository: { id: number; owner: string; name: string; removed: boolean };
  /** Intents that still want this build. */
  activeIntentIds: string[];
}

interface BuildRow extends Build {
  repositoryId: bigint;
  owner: string;
  repositoryName: string;
  repositoryRemoved: boolean;
  activeIntentIds: string[];
}

/** Throws IgnoredError when the build is gone. */
export async function loadBuild(db: Db, buildId: string): Promise<BuildSnapshot> {
  const [row] = await db.$queryRaw<BuildRow[]>`
    SELECT build.*, repository.id AS "repositoryId", repository.owner, repository.name AS "repositoryName",
      repository."removedAt" IS NOT NULL AS "repositoryRemoved",
      ARRAY(
        SELECT intent.id FROM "IntentBuild" AS wanted JOIN "Intent" AS intent ON intent.id = wanted."intentId"
        WHERE wanted."buildId" = build.id AND intent.status = 'active' ORDER BY intent.id) AS "activeIntentIds"
    FROM "Build" AS build
      JOIN "Project" AS project ON project.id = build."projectId"
      JOIN "Repository" AS repository ON repository.id = project."repositoryId"
    WHERE build.id = ${buildId}::uuid`;
  if (row === undefined) throw new IgnoredError('subject_gone', `The build ${buildId} was deleted.`);
  const { repositoryId, owner, repositoryName, repositoryRemoved, activeIntentIds, ...build } = row;
  return {
    build,
    spec: Value.Check(BuildSpec, build.spec) ? build.spec : null,
    work: await db.workItem.findMany({ where: { buildId }, orderBy: { attempt: 'asc' } }),
    repository: { id: safeNumber(repositoryId), owner, name: repositoryName, removed: repositoryRemoved },
    activeIntentIds,
  };
}

const Capabilities = Type.Array(Capability);

/** Held to the end of the transaction, so that of two builds offered at once the second counts the first. */
const offerLock = 0x0ffe4;

interface LapsedOffers {
  nodeId: string;
  count: number;
  lastOfferedAt: Date;
}

/** Of offers that were made after this: what is older is forgotten. */
const rememberedLapsesMs = 3_600_000;

/** Per node, the offers that it let run out since it last claimed one. */
async function lapsedOffers(db: Db, now: Date): Promise<Map<string, LapsedOffers>> {
  const since = new Date(now.getTime() - rememberedLapsesMs);
  const rows = await db.$queryRaw<LapsedOffers[]>`
    SELECT "nodeId", count(*)::int AS count, max("createdAt") AS "lastOfferedAt" FROM "WorkItem" AS lapsed
    WHERE kind = 'build' AND status = 'expired' AND "claimedAt" IS NULL AND "createdAt" > ${since}
      AND NOT EXISTS (
        SELECT 1 FROM "WorkItem" AS later
        WHERE later."nodeId" = lapsed."nodeId" AND later."claimedAt" > lapsed."createdAt")
    GROUP BY "nodeId"`;
  return new Map(rows.map((row) => [row.nodeId, row]));
}

/** Nodes that could build, with how many builds each has. What a node reported and cannot be read counts as not reported. */
export async function lockBuildNodes(db: Db, now: Date): Promise<BuildNode[]> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${offerLock}::bigint)`;
  const live: Prisma.WorkItemWhereInput = { kind: 'build', status: { in: ['offered', 'claimed'] }, cancelCode: null };
  const nodes = await db.node.findMany({
    where: { removedAt: null },
    include: { _count: { select: { workItems: { where: live } } } },
  });
  const lapsed = await lapsedOffers(db, now);
  return nodes.map((node) => ({
    id: node.id,
    name: node.name,
    lastSeenAt: node.lastSeenAt,
    cordoned: node.cordonedAt !== null,
    removed: false,
    capabilities: Value.Check(Capabilities, node.capabilities) ? node.capabilities : [],
    buildSlots: node.buildSlots,
    runningBuilds: node._count.workItems,
    lapsedOffers: lapsed.get(node.id) ?? null,
    diskFreeBytes: Value.Check(NodeResources, node.resources) ? node.resources.diskFreeBytes : null,
  }));
}

/** Builds that wait for a node and are older than this one, the oldest first. */
export async function waitingBefore(db: Db, { id, createdAt }: Pick<Build, 'id' | 'createdAt'>): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM "Build"
    WHERE status = 'queued' AND ("createdAt", id) < (${createdAt}::timestamptz, ${id}::uuid) ORDER BY "createdAt", id`;
  return rows.map((row) => row.id);
}

/** The build that has waited for a node the longest; null when none waits. */
export async function longestWaiting(db: Db): Promise<string | null> {
  const orderBy: Prisma.BuildOrderByWithRelationInput[] = [{ createdAt: 'asc' }, { id: 'asc' }];
  const row = await db.build.findFirst({ where: { status: 'queued' }, orderBy, select: { id: true } });
  return row?.id ?? null;
}

export interface BuildChange {
  status: Build['status'];
  reasonCode?: string | null;
  reason?: string | null;
  attempt?: number;
  imageName?: string;
  finishedAt?: Date;
}

/** Moves the build from the version that was read. Gives the new version, or null when another writer was first. */
export async function changeBuild(
  db: Db,
  seen: Pick<Build, 'id' | 'version'>,
  change: BuildChange,
): Promise<number | null> {
  const { count } = await db.build.updateMany({
    where: { id: seen.id, version: seen.version },
    data: { ...change, version: { increment: 1 } },
  });
  return count === 1 ? seen.version + 1 : null;
}

export interface BuildOffer {
  buildId: string;
  nodeId: string;
  attempt: number;
  /** By the clock that its lease is measured with. */
  at: Date;
}

/** Offers one attempt of the build to one node. */
export async function offerBuild(db: Db, { at, ...offer }: BuildOffer): Promise<void> {
  await db.workItem.create({ data: { ...offer, kind: 'build', payload: {}, createdAt: at } });
}

/** Ends what is offered or claimed for the build: an offer is cancelled, claimed work is told to stop. Gives the nodes to wake. */
export async function cancelBuildWork(db: Db, buildId: string, code: string): Promise<string[]> {
  const told = await db.workItem.updateManyAndReturn({
    where: { buildId, status: 'claimed', cancelCode: null },
    data: { cancelCode: code },
    select: { nodeId: true },
  });
  const withdrawn = await db.workItem.updateManyAndReturn({
    where: { buildId, status: 'offered' },
    data: { status: 'cancelled', cancelCode: code },
    select: { nodeId: true },
  });
  return [...told, ...withdrawn].map(({ nodeId }) => nodeId);
}

/** The lease was seen to have run out, or its node never came: the attempt is over. False when it has moved since it was seen. */
export async function expireWork(db: Db, seen: Pick<WorkItem, 'id' | 'status' | 'leaseUntil'>): Promise<boolean> {
  const { count } = await db.workItem.updateMany({
    where: { id: seen.id, status: seen.status, leaseUntil: seen.leaseUntil },
    data: { status: 'expired', credentialSealed: null },
  });
  return count === 1;
}

/** Builds that are not ended, or whose work is not, oldest first: what the sweep looks at again. */
export async function unfinishedBuilds(db: Db): Promise<{ id: string; version: number }[]> {
  return db.$queryRaw<{ id: string; version: number }[]>`
    SELECT id, version, "createdAt" FROM "Build" WHERE status IN ('queued', 'offered', 'building')
    UNION
    SELECT build.id, build.version, build."createdAt" FROM "WorkItem" AS work JOIN "Build" AS build ON build.id = work."buildId"
    WHERE work.status IN ('offered', 'claimed')
    ORDER BY "createdAt"`;
}

export async function findBuild(db: Db, id: string): Promise<Build | null> {
  return db.build.findUnique({ where: { id } });
}
