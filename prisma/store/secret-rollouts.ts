/** Brings other values of secrets to the services that run: the same image and spec as a new release, rolled out like any other. */
import { newPins, type PinnedService } from '../../core/secret/versions.ts';
import { ServiceSpec } from '../../core/spec/service.ts';
import Value from 'typebox/value';
import type { Db, Prisma } from '../client.ts';
import { lockActiveIntents } from './locks.ts';
import { rollOut } from './releases.ts';
import { touchRollouts, type RolloutWake } from './rollouts.ts';
import { pinned, secretsInForce } from './secrets.ts';

const include = {
  servingRelease: { include: pinned },
  rollouts: {
    where: { finishedAt: null },
    orderBy: { generation: 'desc' },
    take: 1,
    include: { release: { include: pinned } },
  },
} as const satisfies Prisma.ServiceInclude;

type ServiceRow = Prisma.ServiceGetPayload<{ include: typeof include }>;

export interface RunningService extends PinnedService {
  release: NonNullable<ServiceRow['servingRelease']>;
  spec: ServiceSpec;
  /** Of the rollout that is bringing it; null when the release serves already, or no intent asked for it. */
  intentId: string | null;
}

/** The services of the environment with the release that each is being brought to, or else serves. */
export async function runningServices(db: Db, environmentId: string): Promise<RunningService[]> {
  const rows = await db.service.findMany({
    where: { environmentId, removedAt: null },
    include,
    orderBy: { name: 'asc' },
  });
  return rows.flatMap((row) => {
    const [rollout] = row.rollouts;
    const release = rollout?.release ?? row.servingRelease;
    // A release that cannot be read does not run, and is told of where the node's state is made (P04).
    if (release === null || !Value.Check(ServiceSpec, release.spec)) return [];
    const { spec } = release;
    const intentId = rollout?.intentId ?? null;
    return [{ service: row.name, secrets: spec.secrets, pins: release.secrets, release, spec, intentId }];
  });
}

export interface SecretChange {
  environmentId: string;
  /** What happened, as a sentence for the timeline. */
  why: string;
  at: Date;
}

export interface SecretRollouts {
  rollouts: { id: string; service: string }[];
  wakes: RolloutWake[];
}

/** A release and a rollout for every service that has other values than those in force. The caller holds the lock of the secrets. */
export async function rollOutSecrets(db: Db, change: SecretChange): Promise<SecretRollouts> {
  const { environmentId } = change;
  const active = new Set(await lockActiveIntents(db, environmentId));
  await db.$executeRaw`
    SELECT 1 FROM "Service" WHERE "environmentId" = ${environmentId}::uuid AND "removedAt" IS NULL
    ORDER BY id FOR NO KEY UPDATE`;
  const inForce = await secretsInForce(db, environmentId);
  const made: { id: string; service: string; serviceId: string }[] = [];
  for (const service of await runningServices(db, environmentId)) {
    const pins = newPins(service, inForce);
    if (pins === null) continue;
    const { sha, imageName, imageDigest, specDigest, buildId } = service.release;
    // An intent that still goes on answers for the new rollout too.
    const intentId = service.intentId !== null && active.has(service.intentId) ? service.intentId : null;
    const image = { sha, imageName, imageDigest, specDigest, spec: service.spec, buildId, pins };
    const serviceId = await rollOut(db, { environmentId, name: service.service, intentId, at: change.at }, image);
    made.push({ id: await explained(db, serviceId, change), service: service.service, serviceId });
  }
  const wakes = await touchRollouts(
    db,
    made.map(({ serviceId }) => serviceId),
  );
  return { rollouts: made.map(({ id, service }) => ({ id, service })), wakes };
}

async function explained(db: Db, serviceId: string, { why, at }: SecretChange): Promise<string> {
  const rollout = await db.rollout.findFirstOrThrow({
    where: { serviceId },
    orderBy: { generation: 'desc' },
    select: { id: true },
  });
  await db.rolloutEvent.create({ data: { rolloutId: rollout.id, at, reasonCode: 'secret_set', message: why } });
  return rollout.id;
}
