/** Ends an environment at a person's word: everything that runs, is built or is told of there, and its secrets. */
import { environmentRemovedWrites } from '../../core/report/environment-removed.ts';
import type { Db, Prisma } from '../client.ts';
import { recordAuditEvent } from './audit-events.ts';
import { endIntent } from './intent-progress.ts';
import { lockActiveIntents, lockSecrets, lockServices } from './locks.ts';
import { owe, type Lane } from './outbox.ts';
import { reportIntent, type ReportContext } from './report.ts';
import { recordEvents, touchRollouts, type RolloutWake } from './rollouts.ts';
import { safeNumber } from './safe-number.ts';
import { deleteSecrets } from './secrets.ts';
import { stopServices } from './stop-services.ts';
import { endUnwantedBuilds } from './unwanted-builds.ts';

export interface EnvironmentRemoved {
  name: string;
  /** Names of the services that stop. */
  services: string[];
  /** How many were deleted. */
  secrets: number;
  /** What to wake after the commit. */
  rollouts: RolloutWake[];
  owes: Lane | null;
}

const code = 'environment_removed';

/**
 * Null when there is none of this id any more. Inside the caller's transaction, which makes whoever accepts an intent for the project
 * wait: a push that is accepted after it makes the environment anew.
 */
export async function removeEnvironment(
  db: Db,
  { id, actor }: { id: string; actor: string },
  context: ReportContext,
): Promise<EnvironmentRemoved | null> {
  const environment = await holdEnvironment(db, id);
  if (environment === null) return null;
  const at = context.now;
  const reason = `${actor} removed the environment ${environment.name}.`;
  await db.environment.update({ where: { id }, data: { removedAt: at } });
  await lockSecrets(db, id);
  const secrets = await deleteSecrets(db, id);
  const intentIds = await lockActiveIntents(db, id);
  for (const intentId of intentIds)
    await endIntent(db, intentId, { status: 'cancelled', reasonCode: code, reason, at });
  const services = await removeServices(db, id, at);
  const builders = await endUnwantedBuilds(db, intentIds, { status: 'cancelled', code, reason, at });
  const serviceIds = services.map((service) => service.id);
  await stopServices(db, serviceIds, builders);
  const rollouts = await touchRollouts(db, serviceIds);
  await explain(db, serviceIds, { reason, at });
  const lane = await tellGithub(db, environment, { intentIds, context });
  const names = services.map(({ name }) => name);
  await audit(db, environment, { actor, at, names, secrets });
  return { name: environment.name, services: names, secrets, rollouts, owes: lane };
}

const include = { project: { include: { repository: true } } } as const satisfies Prisma.EnvironmentInclude;
type EnvironmentRow = Prisma.EnvironmentGetPayload<{ include: typeof include }>;

async function holdEnvironment(db: Db, id: string): Promise<EnvironmentRow | null> {
  await db.$executeRaw`
    SELECT 1 FROM "Environment" AS environment JOIN "Project" ON "Project".id = environment."projectId"
    WHERE environment.id = ${id}::uuid FOR NO KEY UPDATE OF "Project"`;
  return db.environment.findFirst({ where: { id, removedAt: null }, include });
}

async function removeServices(db: Db, environmentId: string, at: Date): Promise<{ id: string; name: string }[]> {
  const services = await db.service.findMany({
    where: { environmentId, removedAt: null },
    orderBy: { name: 'asc' },
    select: { id: true, name: true },
  });
  const ids = services.map(({ id }) => id);
  await lockServices(db, ids);
  await db.service.updateMany({ where: { id: { in: ids } }, data: { removedAt: at, servingReleaseId: null } });
  return services;
}

/** On the timelines of rollouts that have ended: those under way say it themselves when they end for it. */
async function explain(db: Db, serviceIds: string[], { reason, at }: { reason: string; at: Date }): Promise<void> {
  const newest = await db.rollout.findMany({
    where: { serviceId: { in: serviceIds } },
    orderBy: [{ serviceId: 'asc' }, { generation: 'desc' }],
    distinct: ['serviceId'],
    select: { id: true, finishedAt: true },
  });
  for (const { id, finishedAt } of newest)
    if (finishedAt !== null) await recordEvents(db, id, [{ at, reasonCode: code, message: reason }]);
}

interface Told {
  /** That ended with it. */
  intentIds: string[];
  context: ReportContext;
}

async function tellGithub(db: Db, environment: EnvironmentRow, { intentIds, context }: Told): Promise<Lane | null> {
  let lane: Lane | null = null;
  for (const intentId of intentIds) lane = (await reportIntent(db, intentId, context)) ?? lane;
  const { id, name } = environment;
  const { id: repositoryId, installationId } = environment.project.repository;
  const serving = { environmentId: id, state: 'success' };
  const mirrors = await db.githubDeployment.findMany({ where: serving, orderBy: { createdAt: 'asc' } });
  const writes = environmentRemovedWrites({
    ...{ repositoryId: safeNumber(repositoryId), name },
    deployments: mirrors.map(({ intentId }) => ({ intentId, consoleUrl: context.consoleUrl(intentId) })),
  });
  await db.githubDeployment.updateMany({ where: serving, data: { state: 'inactive' } });
  const owed = writes.map((write) => ({ ...write, subject: `intent:${write.payload.intentId ?? id}` }));
  return (await owe(db, safeNumber(installationId), owed)) ?? lane;
}

interface Audited {
  actor: string;
  at: Date;
  /** Of its services. */
  names: string[];
  secrets: number;
}

async function audit(db: Db, environment: EnvironmentRow, { actor, at, names, secrets }: Audited): Promise<void> {
  const { owner, name } = environment.project.repository;
  const stopping = names.length === 0 ? 'It had no services' : `Its services stop: ${names.join(', ')}`;
  await recordAuditEvent(db, {
    ...{ actor, action: 'environment.removed', subject: `environment:${environment.id}`, reasonCode: code, at },
    reason: `${environment.name} of ${owner}/${name} was removed. ${stopping}; secrets deleted: ${secrets}.`,
  });
}
