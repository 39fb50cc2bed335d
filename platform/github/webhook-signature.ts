/** `X-Hub-Signature-256`: an HMAC over the raw bytes of a webhook. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const form = /^sha256=[0-9a-f]{64}$/;

export function isSignedBy(secret: string, rawBody: Buffer, signature: string): boolean {
  if (!form.test(signature)) return false;
  const given = Buffer.from(signature.slice('sha256='.length), 'hex');
  return timingSafeEqual(given, createHmac('sha256', secret).update(rawBody).digest());
}
