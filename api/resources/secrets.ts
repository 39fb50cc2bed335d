/** `/api/v1/environments/{id}/secrets`: values go in, and never come out again. */
import { randomUUID } from 'node:crypto';
import Type from 'typebox';
import { SecretList, SecretRemoved, SecretSet } from '../../core/contract/resources.ts';
import { resolveSecrets } from '../../core/secret/versions.ts';
import { Name, SecretName as SecretNamePattern } from '../../core/spec/service.ts';
import { encrypt } from '../../platform/crypto/envelope.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { advanceRollout } from '../../platform/queue/jobs.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { recordAuditEvent } from '../../prisma/store/audit-events.ts';
import { findEnvironmentName, serviceNames } from '../../prisma/store/environments.ts';
import { secretResource, secretResources } from '../../prisma/store/secret-resources.ts';
import { rollOutSecrets, runningServices, type SecretRollouts } from '../../prisma/store/secret-rollouts.ts';
import {
  addSecretVersion,
  configuredNeeds,
  deleteUnusedSecrets,
  lockSecrets,
  retireSecret,
  secretsInForce,
  type SecretName,
} from '../../prisma/store/secrets.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../http/bearer.ts';
import { IdParams, idOf } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';

/** Of the value, in bytes. One variable of a process holds at most twice as much on Linux. */
export const maxSecretBytes = 64 * 1024;

const params = Type.Object({ id: Type.String(), name: SecretNamePattern });
/** The one service that it is for; without it, every service of the environment. */
const querystring = Type.Object({ service: Type.Optional(Name) });
const tags = ['secrets'];

export function secretRoutes(api: Api, deps: ApiDeps): void {
  const { db } = deps.database;

  api.get(
    '/environments/:id/secrets',
    {
      schema: {
        operationId: 'listSecrets',
        summary: 'Names and versions of the secrets of an environment, and who uses them; never values',
        tags,
        params: IdParams,
        response: answers(SecretList),
      },
    },
    async (request) => {
      const environmentId = idOf(request.params);
      await environmentOf(db, environmentId);
      return secretResources(db, environmentId);
    },
  );

  api.put(
    '/environments/:id/secrets/:name',
    {
      schema: {
        operationId: 'setSecret',
        summary: 'Set a secret: services that run with it are rolled out anew with this value',
        tags,
        params,
        querystring,
        body: Type.Object({ value: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
        response: answers(SecretSet),
      },
    },
    async (request) => {
      const { value } = request.body;
      return setSecret(deps, { ...nameOf(request), value, actor: accessOf(request).name });
    },
  );

  api.delete(
    '/environments/:id/secrets/:name',
    {
      schema: {
        operationId: 'removeSecret',
        summary: 'Remove a secret that no service needs any more',
        tags,
        params,
        querystring,
        response: answers(SecretRemoved),
      },
    },
    async (request) => removeSecret(deps, { ...nameOf(request), actor: accessOf(request).name }),
  );
}

interface Named {
  params: { id: string; name: string };
  query: { service?: string };
}

function nameOf({ params: { id, name }, query }: Named): SecretName {
  return { environmentId: idOf({ id }), name, service: query.service ?? '' };
}

async function environmentOf(db: Db, id: string): Promise<string> {
  const name = await findEnvironmentName(db, id);
  if (name === null) throw new ApiError('not_found');
  return name;
}

interface NewValue extends SecretName {
  value: string;
  actor: string;
}

async function setSecret(deps: ApiDeps, { value, actor, ...secret }: NewValue): Promise<SecretSet> {
  const bytes = Buffer.from(value);
  if (bytes.length > maxSecretBytes) throw new ApiError('secret_too_large');
  if (value.includes('\0')) throw new ApiError('secret_not_text');
  const id = randomUUID();
  const valueSealed = encrypt(deps.masterKeys, bytes, { table: 'Secret', column: 'valueSealed', id });
  const at = deps.now();
  const { made, answer } = await transaction(deps.database, async (tx) => {
    const environment = await environmentOf(tx, secret.environmentId);
    await refuseUnknownService(tx, secret, environment);
    await lockSecrets(tx, secret.environmentId);
    const version = await addSecretVersion(tx, { ...secret, id, valueSealed, setBy: actor, at });
    const why = `${labelOf(secret)} was set (version ${version}).`;
    const made = await rollOutSecrets(tx, { environmentId: secret.environmentId, why, at });
    await deleteUnusedSecrets(tx);
    await audit(tx, secret, { actor, action: 'secret.set', reason: `${environment}: ${why}`, at });
    return { made, answer: await secretResource(tx, secret) };
  });
  await wake(deps, made);
  return { secret: answer, rollouts: made.rollouts };
}

/** A misspelt one would wait for ever for its service. */
async function refuseUnknownService(
  tx: Db,
  { environmentId, service }: SecretName,
  environment: string,
): Promise<void> {
  const names = await serviceNames(tx, environmentId);
  if (service === '' || names.includes(service)) return;
  throw new ApiError('not_found', `${environment} has no service ${service}. It has: ${names.join(', ') || 'none'}.`);
}

interface Removal extends SecretName {
  actor: string;
}

async function removeSecret(deps: ApiDeps, { actor, ...secret }: Removal): Promise<SecretRemoved> {
  const at = deps.now();
  const made = await transaction(deps.database, async (tx) => {
    const environment = await environmentOf(tx, secret.environmentId);
    await lockSecrets(tx, secret.environmentId);
    if (!(await retireSecret(tx, secret, at))) throw new ApiError('not_found', unknownMessage(secret, environment));
    await refuseWhileNeeded(tx, secret, environment);
    const why = `${labelOf(secret)} was removed.`;
    const rolled = await rollOutSecrets(tx, { environmentId: secret.environmentId, why, at });
    await deleteUnusedSecrets(tx);
    await audit(tx, secret, { actor, action: 'secret.removed', reason: `${environment}: ${why}`, at });
    return rolled;
  });
  await wake(deps, made);
  return { rollouts: made.rollouts };
}

/** A service that runs with it and whose newest configuration still names it would have no value at its next deploy. */
async function refuseWhileNeeded(tx: Db, secret: SecretName, environment: string): Promise<void> {
  const left = await secretsInForce(tx, secret.environmentId);
  const configured = await configuredNeeds(tx, secret.environmentId);
  const without = (await runningServices(tx, secret.environmentId)).filter(({ service, secrets }) => {
    const wanted = configured.find((needs) => needs.service === service);
    const names = secrets.filter((name) => name === secret.name && wanted?.secrets.includes(name));
    return resolveSecrets({ service, secrets: names }, left).missing.length > 0;
  });
  if (without.length === 0) return;
  const services = without.map(({ service }) => service).join(', ');
  throw new ApiError(
    'secret_in_use',
    `${services} of ${environment} still uses ${secret.name}. Take it out of landfall.yml and deploy that first.`,
  );
}

function unknownMessage(secret: SecretName, environment: string): string {
  return `${environment} has no secret ${labelOf(secret)}. landfall secret list shows those that it has.`;
}

function labelOf({ name, service }: SecretName): string {
  return service === '' ? name : `${name} of ${service}`;
}

interface Audited {
  actor: string;
  action: string;
  reason: string;
  at: Date;
}

async function audit(tx: Db, { environmentId }: SecretName, event: Audited): Promise<void> {
  await recordAuditEvent(tx, { ...event, subject: `environment:${environmentId}` });
}

async function wake({ queues }: ApiDeps, { wakes }: SecretRollouts): Promise<void> {
  for (const { id, factsVersion } of wakes)
    await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
}
