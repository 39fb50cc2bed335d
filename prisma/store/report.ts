/** What GitHub is owed about an intent: read as core/report sees it, written into the outbox in the same transaction. */
import Type from 'typebox';
import Value from 'typebox/value';
import { Annotation } from '../../core/contract/work.ts';
import { endToldAgain, owedWrites } from '../../core/report/owed.ts';
import type { BuildReport, IntentReport, RolloutReport } from '../../core/report/view.ts';
import type { Write } from '../../core/report/writes.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import type { Build, Db, Intent, Rollout } from '../client.ts';
import { readLogTail } from './logs.ts';
import { owe, type Lane } from './outbox.ts';
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
  /** Keys of what it was owed before. */
  owed: string[];
}

async function loadIntent(db: Db, intentId: string): Promise<IntentRow> {
  const [row] = await db.$queryRaw<IntentRow[]>`
    SELECT intent.*, environment.name AS environment, environment.kind = 'preview' AS transient, environment.url,
      repository.id AS "repositoryId", repository."installationId",
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
  const { service, stage, reasonCode, reason, spec } = row;
  const last = events.at(-1)?.data;
  return {
    ...{ service, stage, reasonCode, reason },
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
