/** Intents and builds as people and the CLI see them. */
import Value from 'typebox/value';
import { BuildResource } from '../../core/contract/resources/builds.ts';
import type { IntentDetail, IntentResource } from '../../core/contract/resources/intents.ts';
import type { Db, Prisma } from '../client.ts';
import { iso } from './iso.ts';
import { notTakenOf } from './resolved-services.ts';
import { rolloutDetails } from './rollout-resources.ts';

const include = {
  environment: { include: { project: { include: { repository: true } } } },
  builds: { include: { build: { select: { status: true, reasonCode: true, reason: true } } } },
} as const satisfies Prisma.IntentInclude;

type IntentRow = Prisma.IntentGetPayload<{ include: typeof include }>;

const buildInclude = {
  project: { include: { repository: true } },
  workItems: { orderBy: { attempt: 'desc' }, take: 1, include: { node: { select: { name: true } } } },
} as const satisfies Prisma.BuildInclude;

type BuildRow = Prisma.BuildGetPayload<{ include: typeof buildInclude }>;

/** The console page of an intent, with the key that opens it. */
export type ConsoleUrl = (intentId: string) => string;

export interface IntentQuery {
  environmentId?: string;
  /** Only those made before the one of this id. */
  before?: string;
  limit: number;
}

/** Newest first. */
export async function intentResources(db: Db, query: IntentQuery, url: ConsoleUrl): Promise<IntentResource[]> {
  const { environmentId, before, limit } = query;
  const rows = await db.intent.findMany({
    where: {
      ...(environmentId === undefined ? {} : { environmentId }),
      ...(before === undefined ? {} : { id: { lt: before } }),
    },
    include,
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map((row) => intentResource(row, url));
}

export async function findIntentDetail(db: Db, id: string, url: ConsoleUrl): Promise<IntentDetail | null> {
  const row = await db.intent.findUnique({
    where: { id },
    include: { ...include, builds: { include: { build: { include: buildInclude } }, orderBy: { service: 'asc' } } },
  });
  if (row === null) return null;
  return {
    ...intentResource(row, url),
    notTaken: notTakenOf(row.config, row.environment.project.repository.defaultBranch),
    builds: row.builds.map(({ build }) => buildResource(build)),
    rollouts: await rolloutDetails(db, { intentId: id }),
  };
}

/** Newest first. */
export async function buildResources(
  db: Db,
  { before, limit }: { before?: string; limit: number },
): Promise<BuildResource[]> {
  const rows = await db.build.findMany({
    where: before === undefined ? {} : { id: { lt: before } },
    include: buildInclude,
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map(buildResource);
}

export async function findBuildResource(db: Db, id: string): Promise<BuildResource | null> {
  const row = await db.build.findUnique({ where: { id }, include: buildInclude });
  return row === null ? null : buildResource(row);
}

type Why = Pick<IntentResource, 'reasonCode' | 'reason'>;

/** Of one that goes on: what a build of it waits for. */
function whyOf({ status, reasonCode, reason, builds }: IntentRow): Why {
  const waiting = builds.map(({ build }) => build).find((build) => build.status === 'queued' && build.reason !== null);
  return status === 'active' && reason === null && waiting !== undefined ? waiting : { reasonCode, reason };
}

function intentResource(row: IntentRow, url: ConsoleUrl): IntentResource {
  const { id, sha, ref, trigger, actor, status } = row;
  const { reasonCode, reason } = whyOf(row);
  const { repository } = row.environment.project;
  return {
    ...{ id, sha, ref, trigger, actor, status, reasonCode, reason },
    repository: `${repository.owner}/${repository.name}`,
    environment: row.environment.name,
    url: url(id),
    requestedAt: iso(row.requestedAt),
    finishedAt: iso(row.finishedAt),
  };
}

const { timings: Timings } = BuildResource.properties;

function buildResource(row: BuildRow): BuildResource {
  const { id, service, sha, ref, status, reasonCode, reason, attempt, imageName, imageDigest } = row;
  const { repository } = row.project;
  return {
    ...{ id, service, sha, ref, status, reasonCode, reason, attempt },
    repository: `${repository.owner}/${repository.name}`,
    image: imageName === null || imageDigest === null ? null : `${imageName}@${imageDigest}`,
    nodeName: row.workItems[0]?.node.name ?? null,
    timings: Value.Check(Timings, row.timings) ? row.timings : null,
    createdAt: iso(row.createdAt),
    startedAt: iso(row.startedAt),
    finishedAt: iso(row.finishedAt),
  };
}
