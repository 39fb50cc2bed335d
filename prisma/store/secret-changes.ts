/** What setting and removing a secret writes down: versions, and the rollouts that bring them to the services that run. */
import { stillNeededBy } from '../../core/secret/versions.ts';
import type { Db } from '../client.ts';
import { lockSecrets } from './locks.ts';
import { rollOutSecrets, runningServices, type SecretRollouts } from './secret-rollouts.ts';
import {
  addSecretVersion,
  configuredNeeds,
  deleteUnusedSecrets,
  retireSecret,
  secretsInForce,
  type NewSecretVersion,
  type SecretName,
} from './secrets.ts';

/** What happened, as a sentence. */
export interface SecretChanged extends SecretRollouts {
  what: string;
}

/** Puts another value in force. Runs in the caller's transaction. */
export async function setSecret(db: Db, secret: NewSecretVersion): Promise<SecretChanged> {
  const { environmentId, at } = secret;
  await lockSecrets(db, environmentId);
  const version = await addSecretVersion(db, secret);
  return carriedOut(db, { environmentId, what: `${secretLabel(secret)} was set (version ${version}).`, at });
}

export type SecretRemoval =
  | { kind: 'unknown' }
  /** By these services; nothing was done. */
  | { kind: 'in_use'; services: string[] }
  | ({ kind: 'removed' } & SecretChanged);

/** Takes a secret out of force, unless a service still needs it. Runs in the caller's transaction. */
export async function removeSecret(db: Db, secret: SecretName, at: Date): Promise<SecretRemoval> {
  const { environmentId } = secret;
  await lockSecrets(db, environmentId);
  const services = stillNeededBy({
    secret,
    running: await runningServices(db, environmentId),
    configured: await configuredNeeds(db, environmentId),
    inForce: await secretsInForce(db, environmentId),
  });
  if (services.length > 0) return { kind: 'in_use', services };
  if (!(await retireSecret(db, secret, at))) return { kind: 'unknown' };
  const changed = await carriedOut(db, { environmentId, what: `${secretLabel(secret)} was removed.`, at });
  return { kind: 'removed', ...changed };
}

async function carriedOut(db: Db, change: { environmentId: string; what: string; at: Date }): Promise<SecretChanged> {
  const { what } = change;
  const made = await rollOutSecrets(db, { ...change, why: what });
  await deleteUnusedSecrets(db);
  return { what, ...made };
}

/** `TOKEN`, or `TOKEN of web`. */
export function secretLabel({ name, service }: Pick<SecretName, 'name' | 'service'>): string {
  return service === '' ? name : `${name} of ${service}`;
}
