/** Verifies what `signRequest` signed, and says by a closed list of codes why it refuses. */
import { createHash, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import { importPublicKey } from '../crypto/keys.ts';
import { requestBase } from './base.ts';
import { parseSignature, type Headers } from './parse.ts';

/** `replayed` is said by whoever keeps the nonces; everything else is said here. Each has its sentence in api-codes.ts. */
export type SignatureRefusal =
  'missing' | 'malformed' | 'unknown_key' | 'stale' | 'clock_ahead' | 'bad_digest' | 'bad_signature' | 'replayed';

export interface VerifiedSignature {
  ok: true;
  keyId: string;
  nonce: string;
  created: Date;
}
type Refused = { ok: false; code: SignatureRefusal };
export type Verification = VerifiedSignature | Refused;
export interface SignedHead extends VerifiedSignature {
  /** SHA-256 that the body has to have. */
  digest: Uint8Array;
}
export type HeadVerification = SignedHead | Refused;

/** A request of which no byte of the body was read yet. */
export interface HeadToVerify {
  method: string;
  /** As it came over the wire, before the question mark. */
  path: string;
  /** With its question mark; empty when there is none. */
  query: string;
  /** By lower-case name, as Node gives them. */
  headers: Headers;
  /** The raw Ed25519 public key in base64url; null when nobody has this key id. */
  publicKeyFor: (keyId: string) => Promise<string | null> | string | null;
  now: Date;
}

export interface RequestToVerify extends HeadToVerify {
  /** The raw bytes; empty when there are none. */
  body: Uint8Array;
}

/** How far `created` may lie from now, either way. A nonce has to be remembered for twice as long. */
export const clockWindowMs = 60_000;

export async function verifySignature({ body, ...head }: RequestToVerify): Promise<Verification> {
  const verified = await verifyHead(head);
  if (!verified.ok) return verified;
  const { digest, ...signature } = verified;
  return isDigestOf(body, digest) ? signature : refused('bad_digest');
}

/** The signature covers the digest of the body and not the body itself, so it is verified before a byte of that is read. */
export async function verifyHead(request: HeadToVerify): Promise<HeadVerification> {
  const parsed = parseSignature(request.headers);
  if (typeof parsed === 'string') return refused(parsed);
  const { keyId, nonce, contentDigest, digest } = parsed;
  const created = new Date(parsed.created * 1000);
  const age = request.now.getTime() - created.getTime();
  if (age > clockWindowMs) return refused('stale');
  if (age < -clockWindowMs) return refused('clock_ahead');
  const publicKey = await request.publicKeyFor(keyId);
  if (publicKey === null) return refused('unknown_key');
  const { method, path, query } = request;
  const base = requestBase({ method, path, query, contentDigest }, parsed.params);
  if (!verify(null, base, keyObject(publicKey), parsed.signature)) return refused('bad_signature');
  return { ok: true, keyId, nonce, created, digest };
}

function refused(code: SignatureRefusal): Refused {
  return { ok: false, code };
}

/** Whether the bytes have this SHA-256. */
export function isDigestOf(body: Uint8Array, claimed: Uint8Array): boolean {
  const actual = createHash('sha256').update(body).digest();
  return claimed.length === actual.length && timingSafeEqual(claimed, actual);
}

/** To make one takes as long as a tenth of a verification; a fleet's keys fit. */
const keyObjects = new Map<string, KeyObject>();
const keptKeyObjects = 10_000;

function keyObject(publicKey: string): KeyObject {
  const known = keyObjects.get(publicKey);
  if (known) return known;
  if (keyObjects.size >= keptKeyObjects) keyObjects.clear();
  const made = importPublicKey('Ed25519', publicKey);
  keyObjects.set(publicKey, made);
  return made;
}
