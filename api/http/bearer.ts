/** People and programs show an access token: `Authorization: Bearer …`. */
import type { preHandlerAsyncHookHandler } from 'fastify';
import { hashToken } from '../../platform/crypto/hash.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { findAccess, type Access } from '../../prisma/store/access-tokens.ts';
import type { ApiDeps } from '../deps.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose access token came with the request. */
    access: Access | null;
  }
}

/** Refuses what shows no token, or one that is not known or was revoked. */
export function requireAccessToken({ database }: ApiDeps): preHandlerAsyncHookHandler {
  return async (request) => {
    const token = /^Bearer ([\w.~+/-]{1,400}=*)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new ApiError('unauthenticated');
    const access = await findAccess(database.db, { tokenHash: hashToken(token) });
    if (access === null) throw new ApiError('access_token_unknown');
    request.access = access;
  };
}

export function accessOf(request: { access: Access | null }): Access {
  if (request.access === null) throw new ApiError('unauthenticated');
  return request.access;
}
