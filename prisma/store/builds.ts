/** Builds as the worker moves them: read with their work, offered to a node, ended. Every write compares the version. */
import Value from 'typebox/value';
import { BuildSpec } from '../../core/spec/service.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { Build, Db, Prisma, WorkItem } from '../client.ts';
import { safeNumber } from './safe-number.ts';

const withWork = {
  workItems: { orderBy: { attempt: 'asc' } },
  project: { include: { repository: true } },
  intents: { include: { intent: { select: { id: true, status: true } } } },
} as const satisfies Prisma.BuildInclude;

export interface BuildSnapshot {
  build: Build;
  spec: BuildSpec;
  work: WorkItem[];
  repository: { id: number; installationId: number; owner: string; name: string; removed: boolean };
  /** Intents that still want this build. */
  activeIntentIds: string[];
}

/** Throws IgnoredError when the build is gone. */
export async function loadBuild(db: Db, buildId: string): Promise<BuildSnapshot> {
  const row = await db.build.findUnique({ where: { id: buildId }, include: withWork });
  if (row === null) throw new IgnoredError('subject_gone', `The build ${buildId} was deleted.`);
  const { workItems, project, intents, ...build } = row;
  return {
    build,
    spec: Value.Parse(BuildSpec, build.spec),
    work: workItems,
    repository: {
      id: safeNumber(project.repository.id),
      installationId: safeNumber(project.repository.installationId),
      owner: project.repository.owner,
      name: project.repository.name,
      removed: project.repository.removedAt !== null,
    },
    activeIntentIds: intents.filter(({ intent }) => intent.status === 'active').map(({ intent }) => intent.id),
  };
}

export interface BuildNodeRow {
  id: string;
  name: string;
  kind: 'worker' | 'proxy';
  capabilities: unknown;
  resources: unknown;
  lastSeenAt: Date | null;
  cordonedAt: Date | null;
  /** Builds offered to it or running on it. */
  liveBuilds: number;
}

/** Nodes that could build, with how many builds each has. */
export async function loadBuildNodes(db: Db): Promise<BuildNodeRow[]> {
  const nodes = await db.node.findMany({
    where: { removedAt: null },
    include: {
      _count: { select: { workItems: { where: { kind: 'build', status: { in: ['offered', 'claimed'] } } } } },
    },
  });
  return nodes.map(({ _count, ...node }) => ({ ...node, liveBuilds: _count.workItems }));
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
export async function changeBuild(db: Db, seen: Build, change: BuildChange): Promise<number | null> {
  const { count } = await db.build.updateMany({
    where: { id: seen.id, version: seen.version },
    data: { ...change, version: { increment: 1 } },
  });
  return count === 1 ? seen.version + 1 : null;
}

/** Offers one attempt of the build to one node. */
export async function offerBuild(db: Db, offer: { buildId: string; nodeId: string; attempt: number }): Promise<void> {
  await db.workItem.create({
    data: { kind: 'build', payload: {}, nodeId: offer.nodeId, buildId: offer.buildId, attempt: offer.attempt },
  });
}

/** Ends what is offered or claimed for the build: an offer is cancelled, claimed work is told to stop. Gives the nodes to wake. */
export async function cancelBuildWork(db: Db, buildId: string, code: string): Promise<string[]> {
  const live = await db.workItem.findMany({
    where: { buildId, status: { in: ['offered', 'claimed'] } },
    select: { id: true, nodeId: true },
  });
  await db.workItem.updateMany({
    where: { buildId, status: 'offered' },
    data: { status: 'cancelled', cancelCode: code },
  });
  await db.workItem.updateMany({ where: { buildId, status: 'claimed', cancelCode: null }, data: { cancelCode: code } });
  return live.map(({ nodeId }) => nodeId);
}

/** Claimed or offered work whose lease has run out, or whose node never came: its attempt is over. */
export async function expireWork(db: Db, workId: string): Promise<void> {
  await db.workItem.updateMany({
    where: { id: workId, status: { in: ['offered', 'claimed'] } },
    data: { status: 'expired', credentialSealed: null },
  });
}

/** Builds that are not ended, oldest first: what the sweep looks at again. */
export async function unfinishedBuilds(db: Db): Promise<{ id: string; version: number }[]> {
  return db.build.findMany({
    where: { status: { in: ['queued', 'offered', 'building'] } },
    select: { id: true, version: true },
    orderBy: { createdAt: 'asc' },
  });
}

export async function findBuild(db: Db, id: string): Promise<Build | null> {
  return db.build.findUnique({ where: { id } });
}
