/** The bytes that are signed: RFC 9421, section 2.5, for the components that every agent request covers. */
import { createHash } from 'node:crypto';
import { serializeInnerList, type Item, type Parameters } from 'structured-headers';

/** The parts of a request that a signature is about. */
export interface SignedParts {
  method: string;
  /** As it stands on the wire, before the question mark. */
  path: string;
  /** With its question mark; empty when there is none. */
  query: string;
  /** The value of the Content-Digest field. */
  contentDigest: string;
}

/** Covered by every signature, in this order. */
export const coveredComponents = ['@method', '@path', '@query', 'content-digest'] as const;

export interface SignatureParams {
  /** Seconds since 1970. */
  created: number;
  nonce: string;
  keyId: string;
}

export const algorithm = 'ed25519';

/** The value of `@signature-params`, which is also what Signature-Input holds under its label. */
export function signatureParams({ created, nonce, keyId }: SignatureParams): string {
  const components: Item[] = coveredComponents.map((name) => [name, new Map<string, never>()]);
  const parameters: Parameters = new Map<string, number | string>([
    ['created', created],
    ['nonce', nonce],
    ['keyid', keyId],
    ['alg', algorithm],
  ]);
  return serializeInnerList([components, parameters]);
}

/** One line for each component, and the parameters last. */
export function signatureBase(components: readonly (readonly [name: string, value: string])[], params: string): string {
  const lines = components.map(([name, value]) => `"${name}": ${value}`);
  return [...lines, `"@signature-params": ${params}`].join('\n');
}

export function requestBase({ method, path, query, contentDigest }: SignedParts, params: string): Buffer {
  const values = [method, path, query === '' ? '?' : query, contentDigest];
  const components = coveredComponents.map((name, index) => [name, values[index] ?? ''] as const);
  return Buffer.from(signatureBase(components, params), 'utf8');
}

/** The Content-Digest field of a body: RFC 9530, sha-256. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}
