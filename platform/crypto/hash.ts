/** Tokens are stored hashed, and compared in constant time. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new token of 256 random bits, with a prefix that tells what it opens. */
export function newToken(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

/** SHA-256, 64 hex digits: enough for tokens, which are random and long. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Whether two texts are equal, in a time that does not tell where they differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
