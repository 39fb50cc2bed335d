/** Intents as they are accepted: one transaction's worth of rows, and what stands in their way superseded. */
import { buildInputsDigest } from '../../core/build/decide.ts';
import type { ResolvedService } from '../../core/spec/resolve.ts';
import type { Db } from '../client.ts';
import { recordAuditEvent } from './audit-events.ts';
import { endIntent } from './intent-progress.ts';
import { bumpNodes } from './nodes.ts';
import type { Lane } from './outbox.ts';
import { reportIntent, type ReportContext } from './report.ts';
import type { BuildWake } from './repositories.ts';
import { missingSecrets } from './secrets.ts';
import { endUnwantedBuilds } from './unwanted-builds.ts';

export interface NewIntent {
  projectId: string;
  environment: { name: string; url: string | null };
  sha: string;
  /** Full ref whose head this was. */
  ref: string;
  trigger: 'push' | 'rerequested';
  /** GitHub login. */
  actor: string;
  deliveryGuid: string;
  /** When the delivery arrived. */
  requestedAt: Date;
  services: Record<string, ResolvedService>;
}

/** What to wake after the commit. */
export interface AcceptedIntent {
  intentId: string;
  builds: BuildWake[];
  /** The lane of the outbox that has something new; null when none has. */
  owes: Lane | null;
}

/**
 * Writes down that the commit is to come to the environment. Inside the caller's transaction, which it makes wait for others of
 * the same project. The same delivery accepted twice is accepted once.
 */
export async function acceptIntent(db: Db, intent: NewIntent, context: ReportContext): Promise<AcceptedIntent> {
  await db.$executeRaw`SELECT 1 FROM "Project" WHERE id = ${intent.projectId}::uuid FOR NO KEY UPDATE`;
  const environmentId = await ensureEnvironment(db, intent);
  const known = await findAccepted(db, environmentId, intent);
  if (known !== null) return { ...known, owes: null };
  const lacking = await missingSecrets(db, { environmentId, config: intent.services });
  const superseded = await supersedeWaiting(db, environmentId, context.now);
  await ensureServices(db, environmentId, Object.keys(intent.services));
  const { id } = await db.intent.create({
    data: {
      environmentId,
      sha: intent.sha,
      ref: intent.ref,
      trigger: intent.trigger,
      actor: intent.actor,
      deliveryGuid: intent.deliveryGuid,
      requestedAt: intent.requestedAt,
      config: intent.services,
    },
  });
  const builds = lacking === null ? await takeOrQueueBuilds(db, intent, id) : [];
  const end = { status: 'superseded', code: 'superseded', reason: 'A newer push took its place.' } as const;
  await bumpNodes(db, await endUnwantedBuilds(db, superseded, { ...end, at: context.now }));
  await recordAuditEvent(db, {
    actor: intent.actor,
    action: 'intent.accepted',
    subject: `intent:${id}`,
    reasonCode: 'accepted',
    reason: `${intent.sha} of ${intent.ref} is brought to ${intent.environment.name} (${intent.trigger}).`,
    at: context.now,
  });
  // Nothing is built that could not be released: the person hears of it at once.
  if (lacking !== null)
    await endIntent(db, id, { status: 'failed', reasonCode: 'secret_missing', reason: lacking, at: context.now });
  for (const ended of superseded) await reportIntent(db, ended, context);
  return { intentId: id, builds, owes: await reportIntent(db, id, context) };
}

async function takeOrQueueBuilds(db: Db, intent: NewIntent, intentId: string): Promise<BuildWake[]> {
  const builds: BuildWake[] = [];
  for (const [service, resolved] of byName(intent.services)) {
    const build = await takeOrQueueBuild(db, intent, { service, resolved });
    await db.intentBuild.create({ data: { intentId, buildId: build.id, service } });
    builds.push(build);
  }
  return builds;
}

function byName(services: Record<string, ResolvedService>): [string, ResolvedService][] {
  return Object.entries(services).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function ensureEnvironment(db: Db, { projectId, environment }: NewIntent): Promise<string> {
  const row = await db.environment.upsert({
    where: { projectId_name: { projectId, name: environment.name } },
    create: { projectId, ...environment },
    update: { url: environment.url, removedAt: null },
    select: { id: true },
  });
  return row.id;
}

async function findAccepted(
  db: Db,
  environmentId: string,
  { deliveryGuid, sha }: NewIntent,
): Promise<Pick<AcceptedIntent, 'intentId' | 'builds'> | null> {
  const row = await db.intent.findUnique({
    where: { environmentId_deliveryGuid_sha: { environmentId, deliveryGuid, sha } },
    select: { id: true, builds: { select: { build: { select: { id: true, version: true } } } } },
  });
  return row === null ? null : { intentId: row.id, builds: row.builds.map(({ build }) => build) };
}

async function ensureServices(db: Db, environmentId: string, names: string[]): Promise<void> {
  await db.service.createMany({ data: names.map((name) => ({ environmentId, name })), skipDuplicates: true });
  await db.service.updateMany({
    where: { environmentId, name: { in: names }, removedAt: { not: null } },
    data: { removedAt: null },
  });
}

/** Intents of the environment that have not begun to roll out give way. Gives their ids. */
async function supersedeWaiting(db: Db, environmentId: string, at: Date): Promise<string[]> {
  // One that is being released is waited for: it has begun then.
  await db.$executeRaw`
    SELECT 1 FROM "Intent" WHERE "environmentId" = ${environmentId}::uuid AND status = 'active' ORDER BY id FOR NO KEY UPDATE`;
  const waiting = await db.intent.findMany({
    where: { environmentId, status: 'active', rollouts: { none: {} } },
    orderBy: { createdAt: 'asc' },
    select: { id: true },
  });
  for (const { id } of waiting) {
    const reason = 'A newer commit of this environment took its place.';
    await endIntent(db, id, { status: 'superseded', reasonCode: 'superseded', reason, at });
  }
  return waiting.map(({ id }) => id);
}

interface ServiceToBuild {
  service: string;
  resolved: ResolvedService;
}

/**
 * A build with the same inputs that is live or has succeeded is used again; a failed or cancelled one never is (P10), nor one whose image
 * a node found missing in its registry. Its version goes forward, so that whoever is about to end it for want of an intent reads again.
 */
async function takeOrQueueBuild(db: Db, intent: NewIntent, { service, resolved }: ServiceToBuild): Promise<BuildWake> {
  const inputsDigest = buildInputsDigest({ service, sha: intent.sha, spec: resolved.build });
  const [reused] = await db.$queryRaw<BuildWake[]>`
    UPDATE "Build" SET version = version + 1
    WHERE id = (
      SELECT id FROM "Build"
      WHERE "projectId" = ${intent.projectId}::uuid AND "inputsDigest" = ${inputsDigest}
        AND status IN ('queued', 'offered', 'building', 'succeeded')
        AND NOT EXISTS (
          SELECT 1 FROM "Release" JOIN "Allocation" ON "releaseId" = "Release".id
          WHERE "buildId" = "Build".id AND "detailCode" = 'image_missing')
      ORDER BY "createdAt" DESC LIMIT 1 FOR UPDATE)
    RETURNING id, version`;
  if (reused !== undefined) return reused;
  const { projectId, sha, ref } = intent;
  return db.build.create({
    data: { projectId, service, sha, ref, inputsDigest, spec: resolved.build },
    select: { id: true, version: true },
  });
}
