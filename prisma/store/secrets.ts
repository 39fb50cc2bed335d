/** Secrets of an environment: versions are only added, the newest is in force, and a release keeps those that it was made with. */
import { missingSentence, type NeedsSecrets, type SecretVersion } from '../../core/secret/versions.ts';
import Value from 'typebox/value';
import type { Db } from '../client.ts';
import { lockSecrets } from './locks.ts';
import { ResolvedServices } from './resolved-services.ts';

/** A secret by what people call it. `service` is empty for one of the whole environment. */
export interface SecretName {
  environmentId: string;
  service: string;
  name: string;
}

export interface NewSecretVersion extends SecretName {
  /** What the envelope is bound to. */
  id: string;
  valueSealed: Uint8Array<ArrayBuffer>;
  setBy: string;
  at: Date;
}

export async function secretsInForce(db: Db, environmentId: string): Promise<SecretVersion[]> {
  return db.$queryRaw<SecretVersion[]>`
    SELECT DISTINCT ON (service, name) id, service, name, version FROM "Secret"
    WHERE "environmentId" = ${environmentId}::uuid AND "removedAt" IS NULL
    ORDER BY service, name, version DESC`;
}

/** Puts another value in force. The caller holds the lock. Gives its version. */
export async function addSecretVersion(db: Db, { at, ...secret }: NewSecretVersion): Promise<number> {
  const { environmentId, service, name } = secret;
  const last = await db.secret.aggregate({ where: { environmentId, service, name }, _max: { version: true } });
  const version = (last._max.version ?? 0) + 1;
  await db.secret.create({ data: { ...secret, version, createdAt: at } });
  return version;
}

/** Takes it out of force. The caller holds the lock. Gives false when there was none. */
export async function retireSecret(db: Db, secret: SecretName, at: Date): Promise<boolean> {
  const { count } = await db.secret.updateMany({ where: { ...secret, removedAt: null }, data: { removedAt: at } });
  return count > 0;
}

/** Deletes values that are not in force and that no release was made with. */
export async function deleteUnusedSecrets(db: Db): Promise<void> {
  await db.$executeRaw`
    DELETE FROM "Secret" AS old
    WHERE NOT EXISTS (SELECT 1 FROM "ReleaseSecret" AS pin WHERE pin."secretId" = old.id)
      AND (old."removedAt" IS NOT NULL OR EXISTS (
        SELECT 1 FROM "Secret" AS newer
        WHERE newer."environmentId" = old."environmentId" AND newer.service = old.service AND newer.name = old.name
          AND newer.version > old.version AND newer."removedAt" IS NULL))`;
}

/** Of an environment that ends, those of its releases too. The caller holds the lock. Gives how many secrets had a value in force. */
export async function deleteSecrets(db: Db, environmentId: string): Promise<number> {
  const inForce = await secretsInForce(db, environmentId);
  await db.releaseSecret.deleteMany({ where: { secret: { environmentId } } });
  await db.secret.deleteMany({ where: { environmentId } });
  return inForce.length;
}

/** What a release was made with. */
export const pinned = { secrets: { select: { name: true, secretId: true }, orderBy: { name: 'asc' } } } as const;

/** What the newest commit brought to the environment asks for. */
export async function configuredNeeds(db: Db, environmentId: string): Promise<NeedsSecrets[]> {
  const newest = await db.intent.findFirst({
    where: { environmentId },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: { config: true },
  });
  return newest === null ? [] : needsOf(newest.config);
}

/** What an intent's configuration asks for; nothing when it cannot be read. */
export function needsOf(config: unknown): NeedsSecrets[] {
  if (!Value.Check(ResolvedServices, config)) return [];
  return Object.entries(config).map(([service, resolved]) => ({ service, secrets: resolved.service.secrets }));
}

/**
 * What the services of an intent lack, as a sentence; null when they lack nothing. Holds the secrets until the transaction ends, so that
 * what was there when it was asked is there when a release is made.
 */
export async function missingSecrets(
  db: Db,
  intent: { environmentId: string; config: unknown },
): Promise<string | null> {
  const needs = needsOf(intent.config).filter(({ secrets }) => secrets.length > 0);
  if (needs.length === 0) return null;
  await lockSecrets(db, intent.environmentId);
  const { name, project } = await db.environment.findUniqueOrThrow({
    where: { id: intent.environmentId },
    select: { name: true, project: { select: { repository: { select: { owner: true, name: true } } } } },
  });
  const repository = `${project.repository.owner}/${project.repository.name}`;
  return missingSentence(needs, await secretsInForce(db, intent.environmentId), { environment: name, repository });
}
