/** What GitHub is owed about an intent: read as core/report sees it, written into the outbox in the same transaction. */
import { Annotation } from '../../core/contract/work.ts';
import { owedWrites } from '../../core/report/owed.ts';
import type { BuildReport, IntentReport, RolloutReport } from '../../core/report/view.ts';
import type { Write } from '../../core/report/writes.ts';
import Type from 'typebox';
import Value from 'typebox/value';
import type { Db, Prisma } from '../client.ts';
import { newestPending, owe, type Lane } from './outbox.ts';
import { safeNumber } from './safe-number.ts';

export interface ReportContext {
  /** The console page of an intent, with the key that opens it. */
  consoleUrl: (intentId: string) => string;
  now: Date;
}

const include = {
  environment: { include: { project: { include: { repository: true } } } },
  builds: { include: { build: true } },
  rollouts: {
    include: {
      service: true,
      release: true,
      events: { orderBy: { id: 'asc' } },
      allocations: { where: { desired: 'running' }, orderBy: { replica: 'asc' } },
    },
  },
} as const satisfies Prisma.IntentInclude;

type IntentRow = Prisma.IntentGetPayload<{ include: typeof include }>;

const Port = Type.Object({ port: Type.Union([Type.Integer(), Type.Null()]) });

async function buildReports(db: Db, row: IntentRow): Promise<BuildReport[]> {
  return Promise.all(
    row.builds.map(async ({ service, build }) => ({
      service,
      status: build.status,
      reasonCode: build.reasonCode,
      reason: build.reason,
      imageDigest: build.imageDigest,
      annotations: Value.Parse(Type.Array(Annotation), build.annotations ?? []),
      logTail: build.status === 'failed' ? await logTail(db, `build:${build.id}`) : [],
      startedAt: build.startedAt,
      finishedAt: build.finishedAt,
    })),
  );
}

const tailLines = 50;
const Lines = Type.Array(Type.Object({ text: Type.String() }));

async function logTail(db: Db, stream: string): Promise<string[]> {
  const chunks = await db.logChunk.findMany({ where: { stream }, orderBy: { offset: 'desc' }, take: 10 });
  const lines = chunks.reverse().flatMap((chunk) => Value.Parse(Lines, chunk.lines));
  return lines.slice(-tailLines).map(({ text }) => text);
}

const EventData = Type.Object({ lastLog: Type.Optional(Type.Array(Type.String())) });

function rolloutReport(rollout: IntentRow['rollouts'][number]): RolloutReport {
  const last = rollout.events.at(-1);
  return {
    service: rollout.service.name,
    stage: rollout.stage,
    reasonCode: rollout.reasonCode,
    reason: rollout.reason,
    events: rollout.events.flatMap(({ toStage, at }) => (toStage === null ? [] : [{ stage: toStage, at }])),
    lastLog: Value.Parse(EventData, last?.data ?? {}).lastLog ?? [],
  };
}

/** The configured URL, or the address of the first replica: what a person on the same network can open. */
function environmentUrl(row: IntentRow): string | null {
  if (row.environment.url !== null) return row.environment.url;
  for (const { release, allocations } of row.rollouts) {
    const { port } = Value.Parse(Port, release.spec);
    const [first] = allocations;
    if (port !== null && first !== undefined) return `http://${first.ip}:${port}`;
  }
  return null;
}

async function previousIntents(db: Db, row: IntentRow): Promise<IntentReport['previous']> {
  const mirrors = await db.githubDeployment.findMany({
    where: { environmentId: row.environmentId, state: 'success', intentId: { not: row.id } },
    include: { intent: { select: { finishedAt: true } } },
    orderBy: { createdAt: 'asc' },
  });
  return mirrors.map(({ intentId, sha, intent }) => ({ intentId, sha, finishedAt: intent.finishedAt }));
}

async function loadIntentReport(db: Db, intentId: string, context: ReportContext): Promise<IntentReport> {
  const row = await db.intent.findUniqueOrThrow({ where: { id: intentId }, include });
  const owed = await db.outboxWrite.findMany({ where: { subject: `intent:${intentId}` }, select: { key: true } });
  return {
    id: row.id,
    repositoryId: safeNumber(row.environment.project.repositoryId),
    environment: row.environment.name,
    transient: row.environment.kind === 'preview',
    environmentUrl: environmentUrl(row),
    sha: row.sha,
    ref: row.ref,
    status: row.status,
    reasonCode: row.reasonCode,
    reason: row.reason,
    requestedAt: row.requestedAt,
    finishedAt: row.finishedAt,
    consoleUrl: context.consoleUrl(row.id),
    builds: await buildReports(db, row),
    rollouts: row.rollouts.map(rolloutReport),
    previous: await previousIntents(db, row),
    owed,
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
  const writes = owedWrites(await loadIntentReport(db, intentId, context), context.now);
  if (writes.length === 0) return null;
  const intent = await db.intent.findUniqueOrThrow({
    where: { id: intentId },
    select: { environmentId: true, environment: { select: { project: { select: { repository: true } } } } },
  });
  await rememberMirrors(db, intent.environmentId, writes);
  const installationId = safeNumber(intent.environment.project.repository.installationId);
  await owe(
    db,
    installationId,
    writes.map((write) => ({ ...write, subject: `intent:${intentId}` })),
  );
  return newestPending(db, installationId);
}
