/** Services whose serving release has lost replicas: the rows behind core/rollout's decision, and the rollout that brings them back. */
import Value from 'typebox/value';
import type { ServingService } from '../../core/rollout/replace.ts';
import { ServiceSpec } from '../../core/spec/service.ts';
import type { Db } from '../client.ts';
import { recordAuditEvent } from './audit-events.ts';
import { lockServices } from './locks.ts';
import { touchRollouts, type RolloutWake } from './rollouts.ts';

/** Services that have fewer replicas than the release that serves is to have, and no rollout under way. For the sweep. */
export async function servicesLackingReplicas(db: Db): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT service.id FROM "Service" AS service
      JOIN "Environment" AS environment ON environment.id = service."environmentId"
      JOIN "Release" AS release ON release.id = service."servingReleaseId"
    WHERE service."removedAt" IS NULL AND environment."removedAt" IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM "Rollout" AS rollout WHERE rollout."serviceId" = service.id AND rollout."finishedAt" IS NULL)
      AND (SELECT count(DISTINCT replica) FROM "Allocation" AS allocation
        WHERE allocation."serviceId" = service.id AND allocation."stoppedAt" IS NULL
          AND allocation."releaseId" = release.id AND allocation.desired = 'running')
        < CASE jsonb_typeof(release.spec -> 'replicas') WHEN 'number' THEN (release.spec ->> 'replicas')::numeric ELSE 0 END
    ORDER BY service.id`;
  return rows.map(({ id }) => id);
}

export interface ServingSnapshot {
  serviceId: string;
  releaseId: string;
  service: ServingService;
}

/** Far more replacements in a row than its pauses tell apart. */
const rememberedRollouts = 10;

/** Holds the service until the transaction ends. Null when nothing serves any more, or it cannot be read. */
export async function lockServing(db: Db, serviceId: string): Promise<ServingSnapshot | null> {
  await lockServices(db, [serviceId]);
  const row = await db.service.findFirst({
    where: { id: serviceId, removedAt: null, environment: { removedAt: null } },
    include: {
      servingRelease: {
        include: { allocations: { orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take: 1_000 } },
      },
      rollouts: { orderBy: { generation: 'desc' }, take: rememberedRollouts },
    },
  });
  const release = row?.servingRelease;
  if (row == null || release == null || !Value.Check(ServiceSpec, release.spec)) return null;
  const allocations = release.allocations.map(({ replica, desired, stoppedAt, detail }) => ({
    ...{ replica, detail },
    stands: desired === 'running' && stoppedAt === null,
  }));
  const service = { replicas: release.spec.replicas, allocations, rollouts: row.rollouts };
  return { serviceId, releaseId: release.id, service };
}

export interface ReplacementReason {
  code: string;
  message: string;
  at: Date;
}

/** The service's next generation, which brings the release that serves: nobody asked for it but this. The caller holds the service. */
export async function rollOutAgain(
  db: Db,
  { serviceId, releaseId }: ServingSnapshot,
  { code, message, at }: ReplacementReason,
): Promise<RolloutWake[]> {
  const { generation } = await db.service.update({
    where: { id: serviceId },
    data: { generation: { increment: 1 } },
    select: { generation: true },
  });
  await db.rollout.create({
    data: {
      ...{ serviceId, releaseId, previousReleaseId: releaseId, generation, reasonCode: code, reason: message },
      ...{ stageSince: at, createdAt: at },
      events: { create: [{ at, reasonCode: code, message }] },
    },
    select: { id: true },
  });
  const subject = `service:${serviceId}`;
  await recordAuditEvent(db, {
    ...{ actor: 'landfall', action: 'service.replicas_replaced', subject, reasonCode: code, reason: message, at },
  });
  return touchRollouts(db, [serviceId]);
}
