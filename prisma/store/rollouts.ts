/** Rollouts as the worker moves them: the rows behind core/rollout's facts, and one step written down. */
import type { AllocationFact, Effect, RolloutFacts, RolloutView, Transition } from '../../core/rollout/facts.ts';
import { isTerminal } from '../../core/rollout/stage.ts';
import { ServiceSpec } from '../../core/spec/service.ts';
import type { Placement } from '../../core/place/place.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import Type from 'typebox';
import Value from 'typebox/value';
import type { Allocation, Db, Prisma, Rollout, Service } from '../client.ts';
import { bumpNodes } from './nodes.ts';

const include = {
  service: { include: { environment: { include: { project: true } } } },
  release: true,
} as const satisfies Prisma.RolloutInclude;

export interface RolloutSnapshot {
  rollout: Rollout;
  service: Service;
  spec: ServiceSpec;
  view: RolloutView;
  /** All but the placement, which is asked for only when replicas are missing. */
  facts: Omit<RolloutFacts, 'placement'>;
}

const LastLog = Type.Array(Type.String());

function allocationFact(row: Allocation): AllocationFact {
  return { ...row, lastLog: Value.Parse(LastLog, row.lastLog ?? []) };
}

/** Nodes that take part in this kind of change, and have not yet applied what is expected of them. */
async function awaiting(db: Db, capability: string, liveSince: Date): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM "Node"
    WHERE "removedAt" IS NULL AND "lastSeenAt" > ${liveSince}
      AND capabilities @> ${JSON.stringify([capability])}::jsonb AND "appliedGeneration" < generation
    ORDER BY id`;
  return rows.map(({ id }) => id);
}

/** Throws IgnoredError when the rollout is gone. */
export async function loadRollout(db: Db, rolloutId: string, liveSince: Date): Promise<RolloutSnapshot> {
  const row = await db.rollout.findUnique({ where: { id: rolloutId }, include });
  if (row === null) throw new IgnoredError('subject_gone', `The rollout ${rolloutId} was deleted.`);
  const { service: serviceRow, release, ...rollout } = row;
  const { environment, ...service } = serviceRow;
  const spec = Value.Parse(ServiceSpec, release.spec);
  const allocations = await db.allocation.findMany({
    where: { serviceId: service.id, stoppedAt: null },
    include: { node: { select: { id: true, name: true, lastSeenAt: true } } },
    orderBy: { id: 'asc' },
  });
  const older = await db.rollout.findMany({
    where: { serviceId: service.id, generation: { lt: rollout.generation } },
    select: { generation: true, finishedAt: true },
    orderBy: { generation: 'desc' },
    take: 20,
  });
  return {
    rollout,
    service,
    spec,
    view: {
      id: rollout.id,
      releaseId: rollout.releaseId,
      previousReleaseId: rollout.previousReleaseId,
      generation: rollout.generation,
      stage: rollout.stage,
      stageSince: rollout.stageSince,
      createdAt: rollout.createdAt,
      replicas: spec.replicas,
      deadlineMs: spec.deadlineMs,
      stopGraceMs: spec.stopGraceMs,
    },
    facts: {
      service: {
        removed: service.removedAt !== null || environment.removedAt !== null,
        generation: service.generation,
      },
      allocations: allocations.map(allocationFact),
      nodes: [...new Map(allocations.map(({ node }) => [node.id, node])).values()],
      older,
      dnsAwaiting: await awaiting(db, 'dns', liveSince),
      routesAwaiting: await awaiting(db, 'routes', liveSince),
    },
  };
}

/** Moves the rollout from the version that was read, and writes its event. Gives false when another writer was first. */
export async function changeRollout(db: Db, seen: Rollout, transition: Transition, at: Date): Promise<boolean> {
  const { count } = await db.rollout.updateMany({
    where: { id: seen.id, version: seen.version },
    data: {
      stage: transition.to,
      stageSince: at,
      reasonCode: transition.code,
      reason: transition.message,
      finishedAt: isTerminal(transition.to) ? at : null,
      version: { increment: 1 },
    },
  });
  if (count === 0) return false;
  await recordEvent(db, {
    rolloutId: seen.id,
    at,
    fromStage: transition.from,
    toStage: transition.to,
    reasonCode: transition.code,
    message: transition.message,
    ...(transition.lastLog.length === 0 ? {} : { data: { lastLog: transition.lastLog } }),
  });
  return true;
}

export async function recordEvent(db: Db, event: Prisma.RolloutEventUncheckedCreateInput): Promise<void> {
  await db.rolloutEvent.create({ data: event });
  await db.$executeRaw`SELECT pg_notify('landfall', ${`rollout:${event.rolloutId}`})`;
}

/** Records why the rollout stands still, once for each reason. Gives false when it was said before, or another writer was first. */
export async function recordWaiting(
  db: Db,
  seen: Rollout,
  waiting: { code: string; message: string; at: Date },
): Promise<boolean> {
  if (seen.reason === waiting.message) return false;
  const { count } = await db.rollout.updateMany({
    where: { id: seen.id, version: seen.version },
    data: { reasonCode: waiting.code, reason: waiting.message, version: { increment: 1 } },
  });
  if (count === 0) return false;
  await recordEvent(db, { rolloutId: seen.id, at: waiting.at, reasonCode: waiting.code, message: waiting.message });
  return true;
}

async function allocate(db: Db, seen: Rollout, placements: Placement[]): Promise<void> {
  await db.allocation.createMany({
    data: placements.map(({ replica, nodeId, ip, reasons }) => ({
      serviceId: seen.serviceId,
      releaseId: seen.releaseId,
      rolloutId: seen.id,
      generation: seen.generation,
      nodeId,
      ip,
      replica,
      placement: reasons,
    })),
  });
  await bumpNodes(
    db,
    placements.map(({ nodeId }) => nodeId),
  );
}

async function stop(db: Db, allocationIds: string[]): Promise<void> {
  const rows = await db.allocation.findMany({
    where: { id: { in: allocationIds }, desired: 'running' },
    select: { nodeId: true },
  });
  await db.allocation.updateMany({
    where: { id: { in: allocationIds }, desired: 'running' },
    data: { desired: 'stopped', version: { increment: 1 } },
  });
  await bumpNodes(
    db,
    rows.map(({ nodeId }) => nodeId),
  );
}

/** Only a newer generation takes the place of the one that serves (P21). */
async function serve(db: Db, seen: Rollout): Promise<void> {
  await db.service.updateMany({
    where: { id: seen.serviceId, generation: { gte: seen.generation } },
    data: { servingReleaseId: seen.releaseId },
  });
}

export async function applyEffect(db: Db, seen: Rollout, effect: Effect): Promise<void> {
  switch (effect.kind) {
    case 'allocate':
      return allocate(db, seen, effect.placements);
    case 'stop':
      return stop(db, effect.allocationIds);
    case 'serve':
      return serve(db, seen);
  }
}

export interface RolloutWake {
  id: string;
  factsVersion: number;
}

/** Rollouts that are not ended: of one service, or of all. A terminal one frees the newer ones that wait for it. */
export async function unfinishedRollouts(db: Db, of: { serviceId?: string }): Promise<RolloutWake[]> {
  return db.rollout.findMany({
    where: { finishedAt: null, ...of },
    select: { id: true, factsVersion: true },
    orderBy: { generation: 'asc' },
  });
}

/** Gives every unfinished rollout of the service a new facts version, so that each is looked at again. */
export async function touchRollouts(db: Db, serviceId: string): Promise<RolloutWake[]> {
  await db.rollout.updateMany({ where: { serviceId, finishedAt: null }, data: { factsVersion: { increment: 1 } } });
  return unfinishedRollouts(db, { serviceId });
}
