/** Key pairs of nodes, as raw bytes in base64url on the wire and as key objects inside. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { InputError } from '../errors/errors.ts';

export type Curve = 'Ed25519' | 'X25519';

export interface KeyPair {
  /** 32 bytes each, base64url. */
  publicKey: string;
  privateKey: string;
}

export function generateKeyPair(curve: Curve): KeyPair {
  const { privateKey } = curve === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  const { x, d } = privateKey.export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new TypeError(`An exported ${curve} key lacks its parts.`);
  return { publicKey: x, privateKey: d };
}

/** Throws InputError for what is not 32 bytes of base64url. */
export function importPublicKey(curve: Curve, publicKey: string): KeyObject {
  if (!/^[A-Za-z0-9_-]{43}$/.test(publicKey))
    throw new InputError('key_invalid', `This is not an ${curve} public key: 32 bytes in base64url are expected.`);
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: publicKey }, format: 'jwk' });
}

export function importPrivateKey(curve: Curve, pair: KeyPair): KeyObject {
  return createPrivateKey({ key: { kty: 'OKP', crv: curve, x: pair.publicKey, d: pair.privateKey }, format: 'jwk' });
}
