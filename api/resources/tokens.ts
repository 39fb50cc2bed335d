/** `/api/v1/tokens`: who may use the API, and how that comes and goes. A token is shown once, to the one who makes it. */
import Type from 'typebox';
import { AccessTokenList, AccessTokenMade, type AccessTokenResource } from '../../core/contract/access-tokens.ts';
import { Name } from '../../core/spec/service.ts';
import { hashToken, newToken } from '../../platform/crypto/hash.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { transaction, type AccessToken } from '../../prisma/client.ts';
import {
  accessTokens,
  configuredName,
  createAccessToken,
  findAccess,
  lockAccessTokens,
  revokeAccessToken,
} from '../../prisma/store/access-tokens.ts';
import { recordAuditEvent } from '../../prisma/store/audit-events.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../http/bearer.ts';
import { IdParams, idOf } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';

export function tokenRoutes(api: Api, deps: ApiDeps): void {
  const tags = ['tokens'];

  api.get(
    '/tokens',
    { schema: { operationId: 'listAccessTokens', tags, response: answers(AccessTokenList) } },
    async () => ({ accessTokens: (await accessTokens(deps.database.db)).map(resourceOf) }),
  );

  api.post(
    '/tokens',
    {
      schema: {
        operationId: 'addAccessToken',
        summary: 'Make an access token; the answer is the only place where it is ever seen',
        tags,
        body: Type.Object({ name: Name }),
        response: answers(AccessTokenMade),
      },
    },
    async (request) => add(deps, accessOf(request).name, request.body.name),
  );

  api.delete(
    '/tokens/:id',
    {
      schema: {
        operationId: 'revokeAccessToken',
        summary: 'Revoke an access token: calls with it are refused at once, what it follows ends within 5 seconds',
        tags,
        params: IdParams,
        response: answers(Type.Object({})),
      },
    },
    async (request) => {
      await revoke(deps, accessOf(request).name, idOf(request.params));
      return {};
    },
  );
}

function resourceOf({ id, name, createdAt }: AccessToken): AccessTokenResource {
  return { id, name, createdAt: createdAt.toISOString() };
}

async function add({ database, now }: ApiDeps, actor: string, name: string): Promise<AccessTokenMade> {
  const token = newToken('lf');
  return transaction(database, async (tx) => {
    await lockAccessTokens(tx);
    if ((await findAccess(tx, { name })) !== null)
      throw new ApiError('name_taken', `There is an access token "${name}" already; revoke it or take another name.`);
    const made = await createAccessToken(tx, { name, tokenHash: hashToken(token) });
    const event = { actor, action: 'token.added', subject: `token:${made.id}`, at: now() };
    await recordAuditEvent(tx, { ...event, reason: `An access token for ${name} was made.` });
    return { accessToken: resourceOf(made), token };
  });
}

async function revoke({ database, now }: ApiDeps, actor: string, id: string): Promise<void> {
  const at = now();
  await transaction(database, async (tx) => {
    // It would be refused for good by a server that holds it, and whoever starts that server has no other.
    if ((await findAccess(tx, { id }))?.name === configuredName) throw new ApiError('token_configured');
    const revoked = await revokeAccessToken(tx, id, at);
    if (revoked === null) throw new ApiError('not_found');
    const event = { actor, action: 'token.revoked', subject: `token:${id}`, at };
    await recordAuditEvent(tx, { ...event, reason: `The access token of ${revoked.name} was revoked.` });
  });
}
