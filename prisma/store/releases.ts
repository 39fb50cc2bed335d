/** Releases and the rollouts that bring them in. */
import type { ServiceSpec } from '../../core/spec/service.ts';
import type { Db, Release, Rollout } from '../client.ts';

export interface NewRelease {
  serviceId: string;
  sha: string;
  imageName: string;
  imageDigest: string;
  specDigest: string;
  spec: ServiceSpec;
  buildId: string | null;
}

/** Numbered from 1 within its service. Runs in a transaction that holds the service's row. */
export async function createRelease(db: Db, release: NewRelease): Promise<Release> {
  const last = await db.release.aggregate({ where: { serviceId: release.serviceId }, _max: { number: true } });
  return db.release.create({ data: { ...release, number: (last._max.number ?? 0) + 1 } });
}

export interface NewRollout {
  serviceId: string;
  releaseId: string;
  intentId: string | null;
  at: Date;
}

/** The service's next generation, and the rollout that brings it in. Takes the service's row, so that two writers queue up. */
export async function createRollout(db: Db, rollout: NewRollout): Promise<Rollout> {
  const service = await db.service.update({
    where: { id: rollout.serviceId },
    data: { generation: { increment: 1 } },
  });
  return db.rollout.create({
    data: {
      serviceId: rollout.serviceId,
      releaseId: rollout.releaseId,
      previousReleaseId: service.servingReleaseId,
      intentId: rollout.intentId,
      generation: service.generation,
      stageSince: rollout.at,
      createdAt: rollout.at,
    },
  });
}
