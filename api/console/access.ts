/** Who may read a page: whoever is signed in, and, for one intent, whoever has its link. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { opensIntent } from '../../platform/links/intent-link.ts';
import { findAccess, type Access } from '../../prisma/store/access-tokens.ts';
import type { ApiDeps } from '../deps.ts';
import { isUuid } from '../http/ids.ts';
import { readSessionCookie, verify } from './session.ts';

export type Reader = { kind: 'session'; access: Access } | { kind: 'link'; key: string };

/** Null when the request carries no session, or one whose access token was revoked. */
export async function readerOf(deps: ApiDeps, request: FastifyRequest): Promise<Reader | null> {
  const cookie = readSessionCookie(request.headers.cookie);
  const id = cookie === null ? null : verify(deps.masterKeys, 'session', { text: cookie, now: deps.now() });
  if (id === null || !isUuid(id)) return null;
  const access = await findAccess(deps.database.db, { id });
  return access === null ? null : { kind: 'session', access };
}

export async function requireSession(deps: ApiDeps, request: FastifyRequest): Promise<void> {
  if ((await readerOf(deps, request)) === null) throw signInFirst();
}

/** The reader of an intent's page, or of what belongs to it. `intentId` is null for what belongs to none. */
export async function requireReader(
  deps: ApiDeps,
  request: FastifyRequest<{ Querystring: { key?: string } }>,
  intentId: string | null,
): Promise<Reader> {
  const { key } = request.query;
  const reader = await readerOf(deps, request);
  if (reader !== null) return reader;
  if (key !== undefined && intentId !== null && opensIntent(deps.masterKeys, intentId, key))
    return { kind: 'link', key };
  throw signInFirst();
}

/** Whether the reader still may read: a session ends when its access token is revoked (P72). */
export async function mayStillRead(deps: ApiDeps, reader: Reader): Promise<boolean> {
  return reader.kind === 'link' || (await findAccess(deps.database.db, { id: reader.access.id })) !== null;
}

function signInFirst(): ApiError {
  return new ApiError('unauthenticated', 'This page is for those who are signed in, or who have its link.');
}
