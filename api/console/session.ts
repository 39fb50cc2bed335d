/** Signed-in readers: a link that signs in for a day, and the cookie it sets. Both end with the access token that made them. */
import { createHmac } from 'node:crypto';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { MasterKeys } from '../../platform/crypto/envelope.ts';
import { sameSecret } from '../../platform/crypto/hash.ts';

const Claims = Type.Object({
  /** Of the access token. */
  access: Type.String(),
  /** Milliseconds since 1970. */
  until: Type.Integer(),
});
type Claims = Static<typeof Claims>;

/** What a signed text is good for: one is never taken for the other. */
export type Purpose = 'login link' | 'session';

const lifeMs: Record<Purpose, number> = { 'login link': 24 * 3_600_000, session: 7 * 24 * 3_600_000 };

function signature(key: Uint8Array, purpose: Purpose, content: string): string {
  return createHmac('sha256', key).update(`landfall console ${purpose}\n${content}`).digest('base64url');
}

export interface Signed {
  text: string;
  expiresAt: Date;
}

export function sign(masterKeys: MasterKeys, purpose: Purpose, { access, now }: { access: string; now: Date }): Signed {
  const until = now.getTime() + lifeMs[purpose];
  const content = Buffer.from(JSON.stringify({ access, until } satisfies Claims)).toString('base64url');
  return { text: `${content}.${signature(masterKeys.keys[0], purpose, content)}`, expiresAt: new Date(until) };
}

/** The id of the access token, or null for what was not signed here for this purpose, or has expired. */
export function verify(
  masterKeys: MasterKeys,
  purpose: Purpose,
  { text, now }: { text: string; now: Date },
): string | null {
  const [content, given, ...rest] = text.split('.');
  if (content === undefined || given === undefined || rest.length > 0) return null;
  if (!masterKeys.keys.some((key) => sameSecret(signature(key, purpose, content), given))) return null;
  const claims: unknown = JSON.parse(Buffer.from(content, 'base64url').toString());
  return Value.Check(Claims, claims) && claims.until > now.getTime() ? claims.access : null;
}

const cookieName = 'landfall_session';

export function sessionCookie({ text, expiresAt }: Signed, options: { secure: boolean }): string {
  const secure = options.secure ? '; Secure' : '';
  return `${cookieName}=${text}; Path=/; HttpOnly; SameSite=Lax; Expires=${expiresAt.toUTCString()}${secure}`;
}

export function readSessionCookie(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === cookieName && value !== undefined) return value;
  }
  return null;
}
