/** How an intent's builds and rollouts stand, and the steps that follow from it. */
import type { IntentFacts } from '../../core/intent/outcome.ts';
import { resolveSecrets } from '../../core/secret/versions.ts';
import { digestOf } from '../../core/spec/digest.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { Build, Db, Intent } from '../client.ts';
import { lockIntentRow, lockServices } from './locks.ts';
import { rollOut, type ReleasedImage } from './releases.ts';
import { namesOfServices, readResolvedServices } from './resolved-services.ts';
import { touchRollouts, type RolloutWake } from './rollouts.ts';
import { secretsInForce } from './secrets.ts';
import { stopServices } from './stop-services.ts';

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
  const intent = await lockIntentRow(db, intentId);
  if (intent === null) throw new IgnoredError('subject_gone', `The intent ${intentId} was deleted.`);
  const builds = await db.$queryRaw<(Build & { wantedBy: string })[]>`
    SELECT build.*, wanted.service AS "wantedBy"
    FROM "IntentBuild" AS wanted JOIN "Build" AS build ON build.id = wanted."buildId"
    WHERE wanted."intentId" = ${intentId}::uuid ORDER BY wanted.service`;
  const rollouts = await db.$queryRaw<IntentFacts['rollouts'][number][]>`
    SELECT DISTINCT ON (service.name) service.name AS service, stage, "reasonCode", reason
    FROM "Rollout" AS rollout JOIN "Service" AS service ON service.id = rollout."serviceId"
    WHERE "intentId" = ${intentId}::uuid ORDER BY service.name, rollout.generation DESC`;
  return {
    intent,
    builds: builds.map(({ wantedBy, ...build }) => ({ service: wantedBy, build })),
    facts: {
      builds: builds.map(({ wantedBy, status, reasonCode, reason }) => ({
        ...{ service: wantedBy, status, reasonCode, reason },
      })),
      rollouts,
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

interface PlannedRelease {
  /** Of the service. */
  name: string;
  image: Omit<ReleasedImage, 'pins'>;
}

/** Null when a row does not hold what it takes: an intent of another release of Landfall, or one that was tampered with. */
function plannedReleases({ intent, builds }: IntentProgress): PlannedRelease[] | null {
  const resolved = readResolvedServices(intent.config) ?? {};
  const planned: PlannedRelease[] = [];
  for (const { service: name, build } of builds) {
    const spec = Object.hasOwn(resolved, name) ? resolved[name]?.service : undefined;
    const { imageName, imageDigest } = build;
    if (spec === undefined || imageName === null || imageDigest === null) return null;
    const image = { imageName, imageDigest, specDigest: digestOf(spec), spec, buildId: build.id, sha: intent.sha };
    planned.push({ name, image });
  }
  return planned;
}

/**
 * A release and a rollout for every service of the intent. The caller holds the secrets of the environment, which keep others from its
 * services, and the intent's row. Gives what is to be looked at: the new
 * rollouts, and the older ones that they may take the place of. Null, and nothing done, when the intent cannot be read.
 */
export async function releaseIntent(db: Db, progress: IntentProgress, at: Date): Promise<RolloutWake[] | null> {
  const { environmentId, id: intentId } = progress.intent;
  const planned = plannedReleases(progress);
  if (planned === null) return null;
  const named = planned.some(({ image }) => image.spec.secrets.length > 0);
  const inForce = named ? await secretsInForce(db, environmentId) : [];
  const serviceIds: string[] = [];
  for (const { name, image } of planned) {
    const { pins } = resolveSecrets({ service: name, secrets: image.spec.secrets }, inForce);
    serviceIds.push(await rollOut(db, { environmentId, name, intentId, at }, { ...image, pins }));
  }
  return touchRollouts(db, serviceIds);
}

/** Services that neither this intent nor a newer one that goes on names: they are removed, and what runs of them stops. */
export async function removeOtherServices(db: Db, intent: Intent, at: Date): Promise<RolloutWake[]> {
  const newer = await db.intent.findMany({
    where: {
      environmentId: intent.environmentId,
      status: { in: ['active', 'succeeded'] },
      createdAt: { gt: intent.createdAt },
    },
    select: { config: true },
  });
  const kept = [intent, ...newer].flatMap(({ config }) => namesOfServices(config));
  const others = { environmentId: intent.environmentId, removedAt: null, name: { notIn: kept } };
  const found = await db.service.findMany({ where: others, select: { id: true } });
  if (found.length === 0) return [];
  const ids = found.map(({ id }) => id);
  await lockServices(db, ids);
  await db.service.updateMany({ where: { id: { in: ids } }, data: { removedAt: at, servingReleaseId: null } });
  await stopServices(db, ids);
  return touchRollouts(db, ids);
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
