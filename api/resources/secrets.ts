/** `/api/v1/environments/{id}/secrets`: values go in, and never come out again. */
import { randomUUID } from 'node:crypto';
import Type from 'typebox';
import { SecretList, SecretRemoved, SecretSet } from '../../core/contract/resources/secrets.ts';
import { maxSecretBytes, Name, SecretName as SecretNamePattern } from '../../core/spec/service.ts';
import { encrypt } from '../../platform/crypto/envelope.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { advanceRollout } from '../../platform/queue/jobs.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { recordAuditEvent } from '../../prisma/store/audit-events.ts';
import { findEnvironmentName, serviceNames } from '../../prisma/store/environments.ts';
import { secretResource, secretResources } from '../../prisma/store/secret-resources.ts';
import {
  removeSecret,
  secretLabel,
  setSecret,
  type SecretChanged,
  type SecretRemoval,
} from '../../prisma/store/secret-changes.ts';
import type { SecretName } from '../../prisma/store/secrets.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../http/bearer.ts';
import { IdParams, idOf } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';

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
      return set(deps, { ...nameOf(request), value, actor: accessOf(request).name });
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
    async (request) => remove(deps, { ...nameOf(request), actor: accessOf(request).name }),
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

async function set(deps: ApiDeps, { value, actor, ...secret }: NewValue): Promise<SecretSet> {
  const id = randomUUID();
  const version = { ...secret, id, valueSealed: seal(deps, id, value), setBy: actor, at: deps.now() };
  const { changed, answer } = await transaction(deps.database, async (tx) => {
    const environment = await environmentOf(tx, secret.environmentId);
    await refuseUnknownService(tx, secret, environment);
    const done = await setSecret(tx, version);
    await audit(tx, secret, { actor, action: 'secret.set', reason: `${environment}: ${done.what}`, at: version.at });
    return { changed: done, answer: await secretResource(tx, secret) };
  });
  await wake(deps, changed);
  return { secret: answer, rollouts: changed.rollouts };
}

/** Bound to the row that it will lie in. */
function seal({ masterKeys }: ApiDeps, id: string, value: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(value);
  if (bytes.length > maxSecretBytes) throw new ApiError('secret_too_large');
  if (value.includes('\0')) throw new ApiError('secret_not_text');
  return encrypt(masterKeys, bytes, { table: 'Secret', column: 'valueSealed', id });
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

async function remove(deps: ApiDeps, { actor, ...secret }: Removal): Promise<SecretRemoved> {
  const at = deps.now();
  const changed = await transaction(deps.database, async (tx) => {
    const environment = await environmentOf(tx, secret.environmentId);
    const removal = await removeSecret(tx, secret, at);
    if (removal.kind !== 'removed') throw refusal(removal, secret, environment);
    await audit(tx, secret, { actor, action: 'secret.removed', reason: `${environment}: ${removal.what}`, at });
    return removal;
  });
  await wake(deps, changed);
  return { rollouts: changed.rollouts };
}

type Refused = Exclude<SecretRemoval, { kind: 'removed' }>;

function refusal(removal: Refused, secret: SecretName, environment: string): ApiError {
  switch (removal.kind) {
    case 'unknown':
      return new ApiError(
        'not_found',
        `${environment} has no secret ${secretLabel(secret)}. landfall secret list shows those that it has.`,
      );
    case 'in_use':
      return new ApiError(
        'secret_in_use',
        `${removal.services.join(', ')} of ${environment} still needs ${secret.name}. Take it out of landfall.yml and push that first.`,
      );
  }
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

async function wake({ queues }: ApiDeps, { wakes }: SecretChanged): Promise<void> {
  for (const { id, factsVersion } of wakes)
    await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
}
