/** Releases and the rollouts that bring them in. */
import type { Pin } from '../../core/secret/versions.ts';
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
  /** The values behind the names of its secrets. */
  pins: readonly Pin[];
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
  const { pins, ...fixed } = image;
  const service = await db.service.update({
    where: { environmentId_name: { environmentId, name } },
    data: { generation: { increment: 1 }, removedAt: null },
    select: { id: true, generation: true, servingReleaseId: true },
  });
  const serviceId = service.id;
  const last = await db.release.aggregate({ where: { serviceId }, _max: { number: true } });
  const release = await db.release.create({
    data: { ...fixed, serviceId, number: (last._max.number ?? 0) + 1, secrets: { create: [...pins] } },
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
