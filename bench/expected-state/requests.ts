/** Signed requests for expected state, as bytes to send. */
import { randomBytes, type KeyObject } from 'node:crypto';
import { importPrivateKey } from '../../platform/crypto/keys.ts';
import { signRequest, splitTarget } from '../../platform/signature/sign.ts';
import type { FleetNode } from './agents.ts';

export interface Signer {
  node: FleetNode;
  privateKey: KeyObject;
}

export function signerOf(node: FleetNode): Signer {
  return { node, privateKey: importPrivateKey('Ed25519', node.signing) };
}

/** @param etag What the agent has; null when it has nothing yet. */
export function requestHead({ node, privateKey }: Signer, target: string, etag: string | null): string {
  const signature = signRequest({
    ...splitTarget(target),
    ...{ method: 'GET', body: new Uint8Array(), keyId: node.id, privateKey, now: new Date() },
    nonce: randomBytes(16).toString('base64url'),
  });
  const headers = { host: '127.0.0.1', ...(etag === null ? {} : { 'if-none-match': etag }), ...signature };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

export const path = '/api/v1/agent/expected-state';

/** The tag of each node's state, asked for once. */
export async function fetchTags(port: number, signers: readonly Signer[]): Promise<string[]> {
  const tags: string[] = [];
  for (const { node, privateKey } of signers) {
    const signature = signRequest({
      ...{ method: 'GET', path, query: '', body: new Uint8Array(), keyId: node.id, privateKey, now: new Date() },
      nonce: randomBytes(16).toString('base64url'),
    });
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: signature });
    await answer.arrayBuffer();
    tags.push(answer.headers.get('etag') ?? '');
  }
  return tags;
}
