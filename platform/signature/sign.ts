/** Signs a request of an agent: HTTP Message Signatures (RFC 9421) with Ed25519 over method, path, query and content digest. */
import { sign, type KeyObject } from 'node:crypto';
import { contentDigest, requestBase, signatureParams } from './base.ts';

export interface RequestToSign {
  method: string;
  /** As it goes over the wire, before the question mark. */
  path: string;
  /** With its question mark; empty when there is none. */
  query: string;
  /** The bytes sent; empty when there are none. */
  body: Uint8Array;
  /** Under which the other side finds the public key. */
  keyId: string;
  privateKey: KeyObject;
  now: Date;
  /** 16 to 64 characters of base64url, never used before with this key. */
  nonce: string;
}

export interface SignatureHeaders extends Record<string, string> {
  'content-digest': string;
  'signature-input': string;
  signature: string;
}

const label = 'sig';

export function signRequest(request: RequestToSign): SignatureHeaders {
  const { method, path, query, keyId, nonce } = request;
  const digest = contentDigest(request.body);
  const params = signatureParams({ created: Math.floor(request.now.getTime() / 1000), nonce, keyId });
  const base = requestBase({ method, path, query, contentDigest: digest }, params);
  return {
    'content-digest': digest,
    'signature-input': `${label}=${params}`,
    signature: `${label}=:${sign(null, base, request.privateKey).toString('base64')}:`,
  };
}

/** A request target, `/path?query`, in the two parts that are signed. */
export function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at) };
}
