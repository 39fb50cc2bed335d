/** Builds as the worker moves them: read with their work, offered to a node, ended. Every write compares what was read. */
import Type from 'typebox';
import Value from 'typebox/value';
import { Capability, NodeResources } from '../../core/contract/status.ts';
import type { BuildNode } from '../../core/build/decide.ts';
import { BuildSpec } from '../../core/spec/service.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { Build, Db, Node, WorkItem } from '../client.ts';
import { safeNumber } from './safe-number.ts';

export interface BuildSnapshot {
  build: Build;
  /** Null when it cannot be read. */
  spec: BuildSpec | null;
  work: WorkItem[];
  repository: { id: number; owner: string; name: string; removed: boolean };
  /** Intents that still want this build. */
  activeIntentIds: string[];
  /** Builds that wait for a node, the oldest first: those older than this one, or all of them when it has ended. */
  waiting: string[];
}

interface BuildRow extends Build {
  repositoryId: bigint;
  owner: string;
  repositoryName: string;
  repositoryRemoved: boolean;
  activeIntentIds: string[];
  waiting: string[];
}

/** Throws IgnoredError when the build is gone. */
export async function loadBuild(db: Db, buildId: string): Promise<BuildSnapshot> {
  const [row] = await db.$queryRaw<BuildRow[]>`
    SELECT build.*, repository.id AS "repositoryId", repository.owner, repository.name AS "repositoryName",
      repository."removedAt" IS NOT NULL AS "repositoryRemoved",
      ARRAY(
        SELECT intent.id FROM "IntentBuild" AS wanted JOIN "Intent" AS intent ON intent.id = wanted."intentId"
        WHERE wanted."buildId" = build.id AND intent.status = 'active' ORDER BY intent.id) AS "activeIntentIds",
      ARRAY(
        SELECT other.id FROM "Build" AS other
        WHERE other.status = 'queued'
          AND (build."finishedAt" IS NOT NULL OR (other."createdAt", other.id) < (build."createdAt", build.id))
        ORDER BY other."createdAt", other.id) AS waiting
    FROM "Build" AS build
      JOIN "Project" AS project ON project.id = build."projectId"
      JOIN "Repository" AS repository ON repository.id = project."repositoryId"
    WHERE build.id = ${buildId}::uuid`;
  if (row === undefined) throw new IgnoredError('subject_gone', `The build ${buildId} was deleted.`);
  const { repositoryId, owner, repositoryName, repositoryRemoved, activeIntentIds, waiting, ...build } = row;
  return {
    build,
    spec: Value.Check(BuildSpec, build.spec) ? build.spec : null,
    work: await db.workItem.findMany({ where: { buildId }, orderBy: { attempt: 'asc' } }),
    repository: { id: safeNumber(repositoryId), owner, name: repositoryName, removed: repositoryRemoved },
    activeIntentIds,
    waiting,
  };
}

const Capabilities = Type.Array(Capability);

/** Held to the end of the transaction, so that of two builds offered at once the second counts the first. */
const offerLock = 0x0ffe4;

/** Of offers that were made after this: what is older is forgotten. */
const rememberedLapsesMs = 3_600_000;

interface BuildNodeRow extends Node {
  runningBuilds: number;
  /** Offers that it let run out since it last claimed one. */
  lapsed: number;
  lastLapsedAt: Date | null;
}

/** Nodes that could build, with how many builds each has. What a node reported and cannot be read counts as not reported. */
export async function lockBuildNodes(db: Db, now: Date): Promise<BuildNode[]> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${offerLock}::bigint)`;
  const since = new Date(now.getTime() - rememberedLapsesMs);
  const nodes = await db.$queryRaw<BuildNodeRow[]>`
    SELECT node.*, running."runningBuilds", lapses.lapsed, lapses."lastLapsedAt"
    FROM "Node" AS node
      CROSS JOIN LATERAL (
        SELECT count(*)::int AS "runningBuilds" FROM "WorkItem"
        WHERE "nodeId" = node.id AND kind = 'build' AND status IN ('offered', 'claimed') AND "cancelCode" IS NULL
      ) AS running
      CROSS JOIN LATERAL (
        SELECT count(*)::int AS lapsed, max("createdAt") AS "lastLapsedAt" FROM "WorkItem" AS offer
        WHERE "nodeId" = node.id AND kind = 'build' AND status = 'expired' AND "claimedAt" IS NULL AND "createdAt" > ${since}
          AND NOT EXISTS (
            SELECT 1 FROM "WorkItem" AS later
            WHERE later."nodeId" = node.id AND later."claimedAt" > offer."createdAt")
      ) AS lapses
    WHERE node."removedAt" IS NULL`;
  return nodes.map((node) => ({
    id: node.id,
    name: node.name,
    lastSeenAt: node.lastSeenAt,
    cordoned: node.cordonedAt !== null,
    removed: false,
    capabilities: Value.Check(Capabilities, node.capabilities) ? node.capabilities : [],
    buildSlots: node.buildSlots,
    runningBuilds: node.runningBuilds,
    lapsedOffers: node.lastLapsedAt === null ? null : { count: node.lapsed, lastOfferedAt: node.lastLapsedAt },
    diskFreeBytes: Value.Check(NodeResources, node.resources) ? node.resources.diskFreeBytes : null,
  }));
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
