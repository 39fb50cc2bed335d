/** What GitHub is owed about an intent: read as core/report sees it, written into the outbox in the same transaction. */
import Type from 'typebox';
import Value from 'typebox/value';
import { Annotation } from '../../core/contract/work.ts';
import { endToldAgain, movedWrites, owedWrites } from '../../core/report/owed.ts';
import type { BuildReport, IntentReport, RolloutReport } from '../../core/report/view.ts';
import type { Write } from '../../core/report/writes.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { Build, Db, Intent, Rollout } from '../client.ts';
import { lockIntentRow } from './locks.ts';
import { readLogTail } from './logs.ts';
import { owe, type Lane } from './outbox.ts';
import { notTakenOf } from './resolved-services.ts';
import { safeNumber } from './safe-number.ts';

export interface ReportContext {
  /** The console page of an intent, with the key that opens it. */
  consoleUrl: (intentId: string) => string;
  /** Where people reach a container at this `host:port`; null: its network is not theirs. Left out: nowhere. */
  containerUrl?: (address: string) => string | null;
  now: Date;
}

interface IntentRow extends Intent {
  environment: string;
  transient: boolean;
  url: string | null;
  repositoryId: bigint;
  installationId: bigint;
  defaultBranch: string;
  /** Keys of what it was owed before. */
  owed: string[];
}

async function loadIntent(db: Db, intentId: string): Promise<IntentRow> {
  const [row] = await db.$queryRaw<IntentRow[]>`
    SELECT intent.*, environment.name AS environment, environment.kind = 'preview' AS transient, environment.url,
      repository.id AS "repositoryId", repository."installationId", repository."defaultBranch",
      ARRAY(SELECT key FROM "OutboxWrite" WHERE subject = ${`intent:${intentId}`}) AS owed
    FROM "Intent" AS intent
      JOIN "Environment" AS environment ON environment.id = intent."environmentId"
      JOIN "Project" AS project ON project.id = environment."projectId"
      JOIN "Repository" AS repository ON repository.id = project."repositoryId"
    WHERE intent.id = ${intentId}::uuid`;
  if (row === undefined) throw new IgnoredError('subject_gone', `The intent ${intentId} was deleted.`);
  return row;
}

interface BuildRow extends Build {
  /** As the intent names it. */
  wantedBy: string;
  /** What its node said of the last attempt. */
  outcome: unknown;
}

const Annotations = Type.Array(Annotation);

async function loadBuilds(db: Db, intentId: string): Promise<BuildReport[]> {
  const rows = await db.$queryRaw<BuildRow[]>`
    SELECT build.*, wanted.service AS "wantedBy", work.result AS outcome
    FROM "IntentBuild" AS wanted JOIN "Build" AS build ON build.id = wanted."buildId"
      LEFT JOIN "WorkItem" AS work ON work."buildId" = build.id AND work.attempt = build.attempt
    WHERE wanted."intentId" = ${intentId}::uuid ORDER BY wanted.service`;
  const reports: BuildReport[] = [];
  for (const row of rows) {
    const { wantedBy, status, reasonCode, reason, imageDigest, annotations, startedAt, finishedAt } = row;
    reports.push({
      ...{ service: wantedBy, status, reasonCode, reason, imageDigest, startedAt, finishedAt },
      annotations: Value.Check(Annotations, annotations) ? annotations : [],
      logTail: await logTail(db, row),
    });
  }
  return reports;
}

const tailLines = 50;
const Failure = Type.Object({ kind: Type.Literal('failed'), logTail: Type.Array(Type.String()) });

/** A failure brings the end of its log with it; the lines themselves are still on their way then, or lost with their node. */
async function logTail(db: Db, { id, status, outcome }: BuildRow): Promise<string[]> {
  if (status !== 'failed' && status !== 'building') return [];
  if (status === 'failed' && Value.Check(Failure, outcome)) return outcome.logTail;
  const { lines } = await readLogTail(db, `build:${id}`, tailLines);
  return lines.map(({ text }) => text);
}

interface RolloutRow extends Rollout {
  service: string;
  spec: unknown;
  /** Of its first replica that is meant to run. */
  ip: string | null;
}

interface EventRow {
  rolloutId: string;
  toStage: RolloutReport['stage'] | null;
  at: Date;
  data: unknown;
}

interface RolloutReports {
  rollouts: RolloutReport[];
  /** The address of the first replica that listens: what a person on the same network can open. */
  address: string | null;
}

const LastLog = Type.Object({ lastLog: Type.Array(Type.String()) });
const Port = Type.Object({ port: Type.Integer() });
const Replicas = Type.Object({ replicas: Type.Integer() });

/** The newest of each service: another value of a secret may have taken the place of the first. */
async function loadRollouts(db: Db, intentId: string): Promise<RolloutReports> {
  const rows = await db.$queryRaw<RolloutRow[]>`
    SELECT DISTINCT ON (service.name) rollout.*, service.name AS service, release.spec, (
      SELECT ip FROM "Allocation" AS allocation
      WHERE allocation."rolloutId" = rollout.id AND desired = 'running' ORDER BY replica LIMIT 1) AS ip
    FROM "Rollout" AS rollout
      JOIN "Service" AS service ON service.id = rollout."serviceId"
      JOIN "Release" AS release ON release.id = rollout."releaseId"
    WHERE rollout."intentId" = ${intentId}::uuid ORDER BY service.name, rollout.generation DESC`;
  if (rows.length === 0) return { rollouts: [], address: null };
  const events: EventRow[] = await db.rolloutEvent.findMany({
    where: { rolloutId: { in: rows.map(({ id }) => id) } },
    select: { rolloutId: true, toStage: true, at: true, data: true },
    orderBy: { id: 'asc' },
  });
  const addresses = rows.flatMap(({ ip, spec }) =>
    ip !== null && Value.Check(Port, spec) ? [`${ip}:${spec.port}`] : [],
  );
  return {
    rollouts: rows.map((row) =>
      rolloutReport(
        row,
        events.filter(({ rolloutId }) => rolloutId === row.id),
      ),
    ),
    address: addresses[0] ?? null,
  };
}

function rolloutReport(row: RolloutRow, events: EventRow[]): RolloutReport {
  const { service, stage, reasonCode, reason, createdAt, spec } = row;
  const last = events.at(-1)?.data;
  return {
    ...{ service, stage, reasonCode, reason, createdAt },
    replicas: Value.Check(Replicas, spec) ? spec.replicas : 0,
    events: events.flatMap(({ toStage, at }) => (toStage === null ? [] : [{ stage: toStage, at }])),
    lastLog: Value.Check(LastLog, last) ? last.lastLog : [],
  };
}

async function previousIntents(
  db: Db,
  row: IntentRow,
  { consoleUrl }: ReportContext,
): Promise<IntentReport['previous']> {
  const mirrors = await db.githubDeployment.findMany({
    where: { environmentId: row.environmentId, state: 'success', intentId: { not: row.id } },
    include: { intent: { select: { finishedAt: true } } },
    orderBy: { createdAt: 'asc' },
  });
  return mirrors.map(({ intentId, sha, intent }) => ({
    ...{ intentId, sha, finishedAt: intent.finishedAt },
    consoleUrl: consoleUrl(intentId),
  }));
}

async function intentReport(db: Db, row: IntentRow, context: ReportContext): Promise<IntentReport> {
  const { rollouts, address } = await loadRollouts(db, row.id);
  return {
    ...row,
    repositoryId: safeNumber(row.repositoryId),
    environmentUrl: row.url ?? (address === null ? null : (context.containerUrl?.(address) ?? null)),
    consoleUrl: context.consoleUrl(row.id),
    notTaken: notTakenOf(row.config, row.defaultBranch),
    builds: await loadBuilds(db, row.id),
    rollouts,
    previous: await previousIntents(db, row, context),
    owed: row.owed.map((key) => ({ key })),
  };
}

/** The rows that the writes are about: made when the create is owed, found again when GitHub has answered. */
async function rememberMirrors(db: Db, environmentId: string, writes: Write[]): Promise<void> {
  for (const write of writes) {
    if (write.kind === 'createCheckRun') {
      const { repositoryId, intentId, body } = write.payload;
      await db.checkRun.createMany({
        data: [{ repositoryId, intentId, sha: body.head_sha, name: body.name, externalId: body.external_id }],
        skipDuplicates: true,
      });
    } else if (write.kind === 'createDeployment') {
      const { repositoryId, intentId, body } = write.payload;
      await db.githubDeployment.createMany({
        data: [{ repositoryId, intentId, environmentId, sha: body.ref }],
        skipDuplicates: true,
      });
    } else if (write.kind === 'createDeploymentStatus') {
      const { intentId, body } = write.payload;
      await db.githubDeployment.updateMany({ where: { intentId }, data: { state: body.state } });
    }
  }
}

/**
 * Owes GitHub what changed about this intent, inside the caller's transaction. Returns the lane to flush after the
 * commit, or null when nothing new is owed.
 */
export async function reportIntent(db: Db, intentId: string, context: ReportContext): Promise<Lane | null> {
  const row = await loadIntent(db, intentId);
  const writes = owedWrites(await intentReport(db, row, context), context.now);
  if (writes.length === 0) return null;
  await rememberMirrors(db, row.environmentId, writes);
  // A write about an earlier intent waits for those of that one: its deployment's states keep their order.
  const owed = writes.map((write) => ({ ...write, subject: `intent:${write.payload.intentId ?? intentId}` }));
  return owe(db, safeNumber(row.installationId), owed);
}

/**
 * Owes GitHub once more how the check run of this intent ended, after a delivery that shows it as not ended. Null when it has not,
 * or when the delivery was heard before.
 */
export async function reportEndAgain(
  db: Db,
  { intentId, deliveryGuid }: { intentId: string; deliveryGuid: string },
  context: ReportContext,
): Promise<Lane | null> {
  const row = await loadIntent(db, intentId);
  const write = endToldAgain(await intentReport(db, row, context), deliveryGuid, context.now);
  if (write === null) return null;
  return owe(db, safeNumber(row.installationId), [{ ...write, subject: `intent:${intentId}` }]);
}

interface CurrentRow {
  intentId: string;
  /** Configured: it stays where it is. */
  url: string | null;
  environmentId: string;
}

/** The newest deployment that is still said to serve in the environment of this rollout. */
async function currentDeployment(db: Db, rolloutId: string): Promise<CurrentRow | null> {
  const [row] = await db.$queryRaw<CurrentRow[]>`
    SELECT deployment."intentId", environment.url, environment.id AS "environmentId"
    FROM "Rollout" AS rollout
      JOIN "Service" AS service ON service.id = rollout."serviceId"
      JOIN "Environment" AS environment ON environment.id = service."environmentId"
      JOIN "GithubDeployment" AS deployment ON deployment."environmentId" = environment.id AND deployment.state = 'success'
      JOIN "Intent" AS intent ON intent.id = deployment."intentId"
    WHERE rollout.id = ${rolloutId}::uuid AND environment."removedAt" IS NULL
    ORDER BY intent."finishedAt" DESC NULLS LAST, intent.id DESC LIMIT 1`;
  return row ?? null;
}

/** Whether it still is; a newer deploy sets it inactive only after this transaction. */
async function staysCurrent(db: Db, intentId: string): Promise<boolean> {
  if ((await lockIntentRow(db, intentId)) === null) return false;
  const rows = await db.$queryRaw<unknown[]>`
    SELECT 1 FROM "GithubDeployment" WHERE "intentId" = ${intentId}::uuid AND state = 'success' FOR NO KEY UPDATE`;
  return rows.length > 0;
}

/** Of the first replica that serves and listens, whichever rollout made it. */
async function servingAddress(db: Db, environmentId: string): Promise<string | null> {
  const rows = await db.$queryRaw<{ ip: string; spec: unknown }[]>`
    SELECT DISTINCT ON (service.name) allocation.ip, release.spec
    FROM "Service" AS service
      JOIN "Release" AS release ON release.id = service."servingReleaseId"
      JOIN "Allocation" AS allocation ON allocation."serviceId" = service.id AND allocation."releaseId" = release.id
    WHERE service."environmentId" = ${environmentId}::uuid AND service."removedAt" IS NULL AND allocation.desired = 'running'
    ORDER BY service.name, allocation.replica, allocation.id DESC`;
  for (const { ip, spec } of rows) if (Value.Check(Port, spec)) return `${ip}:${spec.port}`;
  return null;
}

/** The `environment_url` that GitHub was told last, or is about to be. */
async function toldUrl(db: Db, intentId: string): Promise<string | null> {
  const [row] = await db.$queryRaw<{ url: string | null }[]>`
    SELECT payload -> 'body' ->> 'environment_url' AS url FROM "OutboxWrite"
    WHERE subject = ${`intent:${intentId}`} AND kind = 'createDeploymentStatus' AND status IN ('pending', 'sent')
    ORDER BY id DESC LIMIT 1`;
  return row?.url ?? null;
}

/**
 * Owes GitHub where the current deployment is found after this rollout, which no intent asked for and which has ended. Null when nobody
 * can open it there, or when that was told.
 */
export async function reportMoved(db: Db, rolloutId: string, context: ReportContext): Promise<Lane | null> {
  const current = await currentDeployment(db, rolloutId);
  if (current === null || current.url !== null || !(await staysCurrent(db, current.intentId))) return null;
  const address = await servingAddress(db, current.environmentId);
  const environmentUrl = address === null ? null : (context.containerUrl?.(address) ?? null);
  if (environmentUrl === null) return null;
  const told = await toldUrl(db, current.intentId);
  const row = await loadIntent(db, current.intentId);
  const report = { ...(await intentReport(db, row, context)), environmentUrl };
  const subject = `intent:${row.id}`;
  const writes = movedWrites(report, { told, rolloutId }, context.now).map((write) => ({ ...write, subject }));
  return owe(db, safeNumber(row.installationId), writes);
}
