/** Releases and the rollouts that bring them in. */
import type { ServiceSpec } from '../../core/spec/service.ts';
import type { Db } from '../client.ts';

/** What a release fixes. */
export interface ReleasedImage {
  sha: string;
  imageName: string;
  imageDigest: string;
  specDigest: string;
  spec: ServiceSpec;
  buildId: string | null;
}

export interface WantedRollout {
  environmentId: string;
  /** Of the service. */
  name: string;
  intentId: string | null;
  at: Date;
}

/**
 * A new release of the service, numbered from 1, the service's next generation, and the rollout that brings it in. Takes the service's
 * row first, so that two writers queue up. A service that was removed meanwhile is wanted again. Gives the service's id.
 */
export async function rollOut(db: Db, wanted: WantedRollout, image: ReleasedImage): Promise<string> {
  const { environmentId, name, intentId, at } = wanted;
  const service = await db.service.update({
    where: { environmentId_name: { environmentId, name } },
    data: { generation: { increment: 1 }, removedAt: null },
    select: { id: true, generation: true, servingReleaseId: true },
  });
  const serviceId = service.id;
  const last = await db.release.aggregate({ where: { serviceId }, _max: { number: true } });
  const release = await db.release.create({
    data: { ...image, serviceId, number: (last._max.number ?? 0) + 1 },
    select: { id: true },
  });
  await db.rollout.create({
    data: {
      serviceId,
      releaseId: release.id,
      previousReleaseId: service.servingReleaseId,
      intentId,
      generation: service.generation,
      stageSince: at,
      createdAt: at,
    },
    select: { id: true },
  });
  return serviceId;
}
