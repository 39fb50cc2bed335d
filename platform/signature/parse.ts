/** Reads the three header fields of a signed request. What is not exactly as our agents write it is refused. */
import { isInnerList, ParseError, parseDictionary, serializeInnerList, type InnerList } from 'structured-headers';
import { algorithm, coveredComponents, type SignatureParams } from './base.ts';

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface ParsedSignature extends SignatureParams {
  /** The value of `@signature-params`, in the order in which it was received. */
  params: string;
  contentDigest: string;
  /** SHA-256 of the body, as claimed. */
  digest: Uint8Array;
  signature: Uint8Array;
}

export function parseSignature(headers: Headers): ParsedSignature | 'missing' | 'malformed' {
  const fields = ['signature-input', 'signature', 'content-digest'].map((name) => headers[name]);
  if (fields.some((value) => value === undefined)) return 'missing';
  const [input, signature, digest] = fields;
  if (typeof input !== 'string' || typeof signature !== 'string' || typeof digest !== 'string') return 'malformed';
  try {
    return read(input, signature, digest) ?? 'malformed';
  } catch (error) {
    if (error instanceof ParseError) return 'malformed';
    throw error;
  }
}

function read(input: string, signature: string, digest: string): ParsedSignature | null {
  const inputs = parseDictionary(input);
  const [label, described] = [...inputs][0] ?? [];
  if (inputs.size !== 1 || label === undefined || described === undefined || !isInnerList(described)) return null;
  const params = readParams(described);
  const signed = bytesOf(parseDictionary(signature).get(label)?.[0]);
  const claimed = bytesOf(parseDictionary(digest).get('sha-256')?.[0]);
  if (params === null || signed === null || claimed === null) return null;
  return {
    ...params,
    params: serializeInnerList(described),
    contentDigest: digest,
    digest: claimed,
    signature: signed,
  };
}

function readParams([components, parameters]: InnerList): SignatureParams | null {
  const covers =
    components.length === coveredComponents.length &&
    components.every(([name, own], index) => name === coveredComponents[index] && own.size === 0);
  const [created, nonce, keyId] = ['created', 'nonce', 'keyid'].map((name): unknown => parameters.get(name));
  if (!covers || parameters.size !== 4 || parameters.get('alg') !== algorithm) return null;
  if (typeof created !== 'number' || !Number.isInteger(created)) return null;
  if (typeof nonce !== 'string' || !/^[A-Za-z0-9_-]{16,64}$/.test(nonce)) return null;
  if (typeof keyId !== 'string' || keyId.length === 0 || keyId.length > 100) return null;
  return { created, nonce, keyId };
}

function bytesOf(value: unknown): Uint8Array | null {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : null;
}
