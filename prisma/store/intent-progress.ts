/** How an intent's builds and rollouts stand, and the steps that follow from it. */
import type { IntentFacts } from '../../core/intent/outcome.ts';
import { digestOf } from '../../core/spec/digest.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { Build, Db, Intent } from '../client.ts';
import { bumpNodes } from './nodes.ts';
import { createRelease, createRollout } from './releases.ts';
import { parseResolvedServices } from './resolved-services.ts';
import type { RolloutWake } from './rollouts.ts';

export interface IntentProgress {
  intent: Intent;
  facts: IntentFacts;
  builds: { service: string; build: Build }[];
}

/**
 * Takes the intent's row first and reads after it, so that of two that end at once the second sees the first.
 * Throws IgnoredError when the intent is gone.
 */
export async function lockIntent(db: Db, intentId: string): Promise<IntentProgress> {
  await db.$executeRaw`SELECT 1 FROM "Intent" WHERE id = ${intentId}::uuid FOR UPDATE`;
  const row = await db.intent.findUnique({
    where: { id: intentId },
    include: { builds: { include: { build: true } }, rollouts: { include: { service: { select: { name: true } } } } },
  });
  if (row === null) throw new IgnoredError('subject_gone', `The intent ${intentId} was deleted.`);
  const { builds, rollouts, ...intent } = row;
  return {
    intent,
    builds: builds.map(({ service, build }) => ({ service, build })),
    facts: {
      builds: builds.map(({ service, build }) => ({
        service,
        status: build.status,
        reasonCode: build.reasonCode,
        reason: build.reason,
      })),
      rollouts: rollouts.map(({ service, stage, reasonCode, reason }) => ({
        service: service.name,
        stage,
        reasonCode,
        reason,
      })),
    },
  };
}

export interface IntentEnd {
  status: 'succeeded' | 'failed' | 'cancelled' | 'superseded';
  reasonCode: string | null;
  reason: string | null;
  at: Date;
}

export async function endIntent(db: Db, intentId: string, end: IntentEnd): Promise<void> {
  const { at, ...fields } = end;
  await db.intent.updateMany({
    where: { id: intentId, status: 'active' },
    data: { ...fields, finishedAt: at, version: { increment: 1 } },
  });
  await db.$executeRaw`SELECT pg_notify('landfall', ${`intent:${intentId}`})`;
}

/** A release and a rollout for every service of the intent. The caller holds the intent's row. */
export async function releaseIntent(db: Db, progress: IntentProgress, at: Date): Promise<RolloutWake[]> {
  const { intent, builds } = progress;
  const resolved = parseResolvedServices(intent.config);
  const rollouts: RolloutWake[] = [];
  for (const { service: name, build } of [...builds].sort((a, b) => (a.service < b.service ? -1 : 1))) {
    const spec = resolved[name]?.service;
    if (spec === undefined || build.imageName === null || build.imageDigest === null)
      throw new Error(`The intent ${intent.id} has a build of ${name} without an image or a spec.`);
    const service = await db.service.findUniqueOrThrow({
      where: { environmentId_name: { environmentId: intent.environmentId, name } },
      select: { id: true },
    });
    const release = await createRelease(db, {
      serviceId: service.id,
      sha: intent.sha,
      imageName: build.imageName,
      imageDigest: build.imageDigest,
      specDigest: digestOf(spec),
      spec,
      buildId: build.id,
    });
    const rollout = await createRollout(db, { serviceId: service.id, releaseId: release.id, intentId: intent.id, at });
    rollouts.push({ id: rollout.id, factsVersion: rollout.factsVersion });
  }
  return rollouts;
}

/** Services that the environment's configuration no longer names: they are removed, and what runs of them stops. */
export async function removeOtherServices(db: Db, intent: Intent, at: Date): Promise<void> {
  const services = await db.service.findMany({
    where: {
      environmentId: intent.environmentId,
      removedAt: null,
      name: { notIn: Object.keys(parseResolvedServices(intent.config)) },
    },
    select: { id: true },
  });
  const ids = services.map(({ id }) => id);
  if (ids.length === 0) return;
  await db.service.updateMany({ where: { id: { in: ids } }, data: { removedAt: at, servingReleaseId: null } });
  const live = { serviceId: { in: ids }, desired: 'running' } as const;
  const allocations = await db.allocation.findMany({ where: live, select: { nodeId: true } });
  await db.allocation.updateMany({ where: live, data: { desired: 'stopped', version: { increment: 1 } } });
  await bumpNodes(
    db,
    allocations.map(({ nodeId }) => nodeId),
  );
}

/** Active intents that nothing moves any more: their builds and rollouts have all ended. For the sweep. */
export async function stalledIntents(db: Db): Promise<string[]> {
  const rows = await db.intent.findMany({
    where: {
      status: 'active',
      builds: { none: { build: { status: { in: ['queued', 'offered', 'building'] } } } },
      rollouts: { none: { finishedAt: null } },
    },
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}
