/** Rollouts as the worker moves them: the rows behind core/rollout's facts, and one step written down. */
import { whyUnreadable } from '../../core/expected/left-out.ts';
import type { AllocationFact, Effect, RolloutFacts, RolloutView, Transition } from '../../core/rollout/facts.ts';
import { isTerminal } from '../../core/rollout/stage.ts';
import { ServiceSpec } from '../../core/spec/service.ts';
import type { Placement } from '../../core/place/place.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import Value from 'typebox/value';
import type { Db, Prisma, Rollout } from '../client.ts';
import { loadAllocations } from './rollout-allocations.ts';
import type { LeftOutContext } from './left-out.ts';
import { lockServices } from './locks.ts';
import { bumpNodes } from './nodes.ts';

export interface RolloutSnapshot {
  rollout: Rollout;
  /** Null when it cannot be read: the rollout ends with that reason. */
  spec: ServiceSpec | null;
  /** Why not, as a sentence's end. */
  unreadable: string | null;
  view: RolloutView;
  /** All but the placement, which is asked for only when replicas are missing. */
  facts: Omit<RolloutFacts, 'placement'>;
}

interface HeadRow extends Rollout {
  serviceGeneration: number;
  servingReleaseId: string | null;
  serviceRemoved: RolloutFacts['service']['removed'];
  spec: unknown;
}

/** The rollout with its service and its release. Throws IgnoredError when it is gone. */
async function loadHead(db: Db, rolloutId: string): Promise<HeadRow> {
  const [row] = await db.$queryRaw<HeadRow[]>`
    SELECT rollout.*, service.generation AS "serviceGeneration", service."servingReleaseId", release.spec,
      CASE WHEN environment."removedAt" IS NOT NULL THEN 'environment_removed'
        WHEN service."removedAt" IS NOT NULL THEN 'service_removed' END AS "serviceRemoved"
    FROM "Rollout" AS rollout
      JOIN "Service" AS service ON service.id = rollout."serviceId"
      JOIN "Environment" AS environment ON environment.id = service."environmentId"
      JOIN "Release" AS release ON release.id = rollout."releaseId"
    WHERE rollout.id = ${rolloutId}::uuid`;
  if (row === undefined) throw new IgnoredError('subject_gone', `The rollout ${rolloutId} was deleted.`);
  return row;
}

type NodeFacts = Pick<RolloutFacts, 'dnsAwaiting' | 'routesAwaiting'>;

/** Nodes that serve DNS or routes, and have not yet applied what is expected of them. */
async function loadAwaiting(db: Db, liveSince: Date): Promise<NodeFacts> {
  const rows = await db.$queryRaw<{ id: string; dns: boolean; routes: boolean }[]>`
    SELECT id, capabilities ? 'dns' AS dns, capabilities ? 'routes' AS routes FROM "Node"
    WHERE "removedAt" IS NULL AND "lastSeenAt" > ${liveSince} AND "appliedGeneration" < generation
    ORDER BY id`;
  return {
    dnsAwaiting: rows.filter(({ dns }) => dns).map(({ id }) => id),
    routesAwaiting: rows.filter(({ routes }) => routes).map(({ id }) => id),
  };
}

/** However many there are: every one that is under way, and of the others the last that ended, which is when a turn began. */
function loadOlder(
  db: Db,
  { serviceId, generation }: Pick<Rollout, 'serviceId' | 'generation'>,
): Promise<RolloutFacts['older'][number][]> {
  return db.$queryRaw`
    WITH older AS (
      SELECT generation, "finishedAt" FROM "Rollout" WHERE "serviceId" = ${serviceId}::uuid AND generation < ${generation}
    )
    SELECT generation, "finishedAt" FROM older
    WHERE "finishedAt" IS NULL OR "finishedAt" = (SELECT max("finishedAt") FROM older)
    ORDER BY generation DESC`;
}

export interface RolloutContext extends LeftOutContext {
  /** Nodes that were heard since then are live. */
  liveSince: Date;
}

export async function loadRollout(db: Db, rolloutId: string, context: RolloutContext): Promise<RolloutSnapshot> {
  const {
    serviceGeneration,
    servingReleaseId,
    serviceRemoved,
    spec: stored,
    ...rollout
  } = await loadHead(db, rolloutId);
  const spec = Value.Check(ServiceSpec, stored) ? stored : null;
  const older = await loadOlder(db, rollout);
  return {
    rollout,
    spec,
    unreadable: whyUnreadable(stored),
    view: {
      id: rollout.id,
      releaseId: rollout.releaseId,
      // An older rollout may have come to serve since this one was made.
      previousReleaseId: servingReleaseId === rollout.releaseId ? rollout.previousReleaseId : servingReleaseId,
      generation: rollout.generation,
      stage: rollout.stage,
      stageSince: rollout.stageSince,
      createdAt: rollout.createdAt,
      replicas: spec?.replicas ?? 0,
      deadlineMs: spec?.deadlineMs ?? 0,
      stopGraceMs: spec?.stopGraceMs ?? 0,
    },
    facts: {
      service: { removed: serviceRemoved, generation: serviceGeneration },
      ...(await loadAllocations(db, rollout.serviceId, context)),
      older,
      ...(await loadAwaiting(db, context.liveSince)),
    },
  };
}

/** Another writer moved the rollout since it was read: nothing that was decided from that holds. */
export class RolloutMoved extends Error {
  override readonly name = 'RolloutMoved';
}

export interface RolloutStep {
  /** At least one. */
  transitions: readonly Transition[];
  effects: readonly Effect[];
  at: Date;
}

/**
 * Moves the rollout from the version that was read through these stages, with their effects and events. Throws RolloutMoved, which ends the
 * transaction, when another writer was first: the rollout's own row comes last (locks.ts).
 */
export async function writeStep(
  db: Db,
  { rollout, view, facts }: RolloutSnapshot,
  { transitions, effects, at }: RolloutStep,
): Promise<void> {
  const last = transitions.at(-1);
  if (last === undefined) throw new RangeError('A step of a rollout has a transition.');
  if (effects.some(({ kind }) => kind === 'serve')) await lockServices(db, [rollout.serviceId]);
  await bumpNodes(db, nodesOf(effects, facts.allocations));
  for (const effect of effects) await applyEffect(db, rollout, effect);
  const { count } = await db.rollout.updateMany({
    where: { id: rollout.id, version: rollout.version },
    data: {
      stage: last.to,
      stageSince: at,
      reasonCode: last.code,
      reason: last.message,
      previousReleaseId: view.previousReleaseId,
      finishedAt: isTerminal(last.to) ? at : null,
      version: { increment: 1 },
    },
  });
  if (count === 0) throw new RolloutMoved(`The rollout ${rollout.id} has moved.`);
  await recordEvents(
    db,
    rollout.id,
    transitions.map(({ from, to, code, message, lastLog }) => ({
      at,
      fromStage: from,
      toStage: to,
      reasonCode: code,
      message,
      ...(lastLog.length === 0 ? {} : { data: { lastLog } }),
    })),
  );
}

/** Whose expected state the effects change. */
function nodesOf(effects: readonly Effect[], allocations: readonly AllocationFact[]): string[] {
  return effects.flatMap((effect) => {
    switch (effect.kind) {
      case 'allocate':
        return effect.placements.map(({ nodeId }) => nodeId);
      case 'stop':
        return allocations.filter(({ id }) => effect.allocationIds.includes(id)).map(({ nodeId }) => nodeId);
      case 'serve':
        return [];
    }
  });
}

type NewEvent = Omit<Prisma.RolloutEventUncheckedCreateInput, 'rolloutId'>;

export async function recordEvents(db: Db, rolloutId: string, events: NewEvent[]): Promise<void> {
  await db.rolloutEvent.createMany({ data: events.map((event) => ({ ...event, rolloutId })) });
  await db.$executeRaw`SELECT pg_notify('landfall', ${`rollout:${rolloutId}`})`;
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
  await recordEvents(db, seen.id, [{ at: waiting.at, reasonCode: waiting.code, message: waiting.message }]);
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
}

async function stop(db: Db, allocationIds: string[]): Promise<void> {
  await db.allocation.updateMany({
    where: { id: { in: allocationIds }, desired: 'running' },
    data: { desired: 'stopped', version: { increment: 1 } },
  });
}

/** Unless a newer generation serves already (P21). */
async function serve(db: Db, seen: Rollout): Promise<void> {
  await db.$executeRaw`
    UPDATE "Service" SET "servingReleaseId" = ${seen.releaseId}::uuid
    WHERE id = ${seen.serviceId}::uuid AND NOT EXISTS (
      SELECT 1 FROM "Rollout" AS newer
      WHERE newer."serviceId" = ${seen.serviceId}::uuid AND newer.generation > ${seen.generation}
        AND newer."releaseId" = "Service"."servingReleaseId")`;
}

async function applyEffect(db: Db, seen: Rollout, effect: Effect): Promise<void> {
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

/** Rollouts that are not ended: what the sweep looks at again. */
export async function unfinishedRollouts(db: Db): Promise<RolloutWake[]> {
  return db.rollout.findMany({
    where: { finishedAt: null },
    select: { id: true, factsVersion: true },
    orderBy: { generation: 'asc' },
  });
}

/** Gives every unfinished rollout of these services a new facts version, so that each is looked at again, the oldest first. */
export async function touchRollouts(db: Db, serviceIds: readonly string[]): Promise<RolloutWake[]> {
  const touched = await db.$queryRaw<(RolloutWake & { generation: number })[]>`
    WITH unfinished AS (
      SELECT id FROM "Rollout" WHERE "serviceId" = ANY(${serviceIds}::uuid[]) AND "finishedAt" IS NULL
      ORDER BY id FOR NO KEY UPDATE)
    UPDATE "Rollout" SET "factsVersion" = "factsVersion" + 1 FROM unfinished
    WHERE "Rollout".id = unfinished.id RETURNING "Rollout".id, "factsVersion", generation`;
  return touched.sort((a, b) => a.generation - b.generation).map(({ id, factsVersion }) => ({ id, factsVersion }));
}
