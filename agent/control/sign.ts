/** Signs every request as this node, with a nonce of its own. */
import { randomBytes } from 'node:crypto';
import { importPrivateKey, type KeyPair } from '../../platform/crypto/keys.ts';
import { signRequest } from '../../platform/signature/sign.ts';
import type { Sign } from './transport.ts';

const nothing = new Uint8Array();

export function signer(nodeId: string, signing: KeyPair): Sign {
  const privateKey = importPrivateKey('Ed25519', signing);
  return ({ method, url, body }) =>
    signRequest({
      method,
      path: url.pathname,
      query: url.search,
      body: body ?? nothing,
      keyId: nodeId,
      privateKey,
      now: new Date(),
      nonce: randomBytes(18).toString('base64url'),
    });
}
