import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiErrors } from '../errors/api-codes.ts';
import { generateKeyPair, importPrivateKey } from '../crypto/keys.ts';
import { contentDigest, signatureBase } from './base.ts';
import { signRequest, splitTarget, type RequestToSign } from './sign.ts';
import { verifySignature, type RequestToVerify, type Verification } from './verify.ts';

const node = generateKeyPair('Ed25519');
const privateKey = importPrivateKey('Ed25519', node);
const now = new Date('2030-01-01T00:00:00.700Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const request: RequestToSign = {
  method: 'POST',
  path: '/api/v1/agent/status',
  query: '?wait=30&a=%20b',
  body: text('{"sequence":1}'),
  keyId: 'node-1',
  privateKey,
  now,
  nonce: 'abcdefghijklmnop',
};

function received(changes: Partial<RequestToVerify> = {}, signed: RequestToSign = request): RequestToVerify {
  const publicKeyFor = (keyId: string): string | null => (keyId === 'node-1' ? node.publicKey : null);
  return { ...signed, headers: signRequest(signed), publicKeyFor, ...changes };
}

/** The headers of the request with one of them changed. */
function header(name: string, change: (value: string) => string): Partial<RequestToVerify> {
  const headers: Record<string, string> = signRequest(request);
  return { headers: { ...headers, [name]: change(headers[name]!) } };
}

async function code(changes: Partial<RequestToVerify>): Promise<Verification> {
  return verifySignature(received(changes));
}

describe('a signed request', () => {
  it('is taken, with the key, nonce and time it was signed with', async () => {
    expect(await verifySignature(received())).toEqual({
      ok: true,
      keyId: 'node-1',
      nonce: 'abcdefghijklmnop',
      created: new Date('2030-01-01T00:00:00.000Z'),
    });
  });

  it('is taken without query and body, and with a key that has to be fetched', async () => {
    const plain: RequestToSign = { ...request, method: 'GET', query: '', body: new Uint8Array() };
    expect(await verifySignature(received({}, plain))).toMatchObject({ ok: true });
    const fetched = { publicKeyFor: async (): Promise<string> => Promise.resolve(node.publicKey) };
    expect(await verifySignature(received(fetched, plain))).toMatchObject({ ok: true });
  });

  it('P63: is refused when method, path, query or body are not those that were signed', async () => {
    const bad = { ok: false, code: 'bad_signature' };
    expect(await code({ method: 'PUT' })).toEqual(bad);
    expect(await code({ path: '/api/v1/agent/logs' })).toEqual(bad);
    expect(await code({ query: '?wait=30' })).toEqual(bad);
    expect(await code({ query: '' })).toEqual(bad);
    expect(await code({ body: text('{"sequence":2}') })).toEqual({ ok: false, code: 'bad_digest' });
    const other = contentDigest(text('{"sequence":2}'));
    expect(await code({ body: text('{"sequence":2}'), ...header('content-digest', () => other) })).toEqual(bad);
  });

  it('P63: is refused with another nonce or time than it was signed with, so that a copy keeps its nonce', async () => {
    const nonce = header('signature-input', (value) => value.replace('abcdefghijklmnop', 'ponmlkjihgfedcba'));
    expect(await code(nonce)).toEqual({ ok: false, code: 'bad_signature' });
    const created = header('signature-input', (value) => value.replace(/created=(\d+)/, 'created=1893456010'));
    expect(await code(created)).toEqual({ ok: false, code: 'bad_signature' });
  });

  it('P63: is taken for 60 seconds, either way, and no longer', async () => {
    expect(await code({ now: later(59_000) })).toMatchObject({ ok: true });
    expect(await code({ now: later(61_000) })).toEqual({ ok: false, code: 'stale' });
    expect(await code({ now: later(-59_000) })).toMatchObject({ ok: true });
    expect(await code({ now: later(-61_000) })).toEqual({ ok: false, code: 'clock_ahead' });
  });

  it('is refused under a key that nobody has, and under the key of another', async () => {
    expect(await code({ publicKeyFor: () => null })).toEqual({ ok: false, code: 'unknown_key' });
    const other = generateKeyPair('Ed25519').publicKey;
    expect(await code({ publicKeyFor: () => other })).toEqual({ ok: false, code: 'bad_signature' });
  });

  it.each(['signature-input', 'signature', 'content-digest'])('is refused without %s', async (name) => {
    const headers = { ...signRequest(request), [name]: undefined };
    expect(await code({ headers })).toEqual({ ok: false, code: 'missing' });
  });

  it.each<[string, string, (value: string) => string]>([
    ['a field that is not structured', 'signature-input', () => '((('],
    ['two signatures', 'signature-input', (value) => `${value}, other=("@method");created=1`],
    ['fewer components', 'signature-input', (value) => value.replace(' "content-digest"', '')],
    ['more components', 'signature-input', (value) => value.replace('"@query"', '"@query" "date"')],
    ['a component with parameters', 'signature-input', (value) => value.replace('"@query"', '"@query";req')],
    ['another algorithm', 'signature-input', (value) => value.replace('ed25519', 'hmac-sha256')],
    ['no nonce', 'signature-input', (value) => value.replace(/;nonce="[^"]*"/, '')],
    ['a short nonce', 'signature-input', (value) => value.replace('abcdefghijklmnop', 'abc')],
    ['no time', 'signature-input', (value) => value.replace(/;created=\d+/, '')],
    ['a time that is a text', 'signature-input', (value) => value.replace(/created=(\d+)/, 'created="$1"')],
    ['a signature under another label', 'signature', (value) => value.replace('sig', 'other')],
    ['a signature that is not bytes', 'signature', () => 'sig="abc"'],
    ['another digest', 'content-digest', () => 'md5=:AAAA:'],
  ])('is refused as malformed with %s', async (_, name, change) => {
    expect(await code(header(name, change))).toEqual({ ok: false, code: 'malformed' });
  });

  it('is refused, never thrown at, whatever the headers hold', async () => {
    const field = fc.oneof(fc.string(), fc.constant(undefined), fc.array(fc.string()));
    await fc.assert(
      fc.asyncProperty(field, field, field, async (input, signature, digest) => {
        const headers = { 'signature-input': input, signature, 'content-digest': digest };
        const { ok } = await verifySignature(received({ headers }));
        expect(ok).toBe(false);
      }),
    );
  });

  it('is refused when any byte of the signature is another', async () => {
    const bytes = Buffer.from(signRequest(request).signature.slice(5, -1), 'base64');
    for (const at of [0, 31, 32, 63]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      const result = await code(header('signature', () => `sig=:${changed.toString('base64')}:`));
      expect(result).toEqual({ ok: false, code: 'bad_signature' });
    }
    const cut = header('signature', () => `sig=:${bytes.subarray(0, 63).toString('base64')}:`);
    expect(await code(cut)).toEqual({ ok: false, code: 'bad_signature' });
  });
});

it('every refusal has its sentence among the codes of the API', () => {
  for (const refusal of ['missing', 'malformed', 'unknown_key', 'stale', 'clock_ahead', 'replayed'] as const)
    expect(apiErrors[`signature_${refusal}`].status).toBe(401);
});

it('splits a target at its first question mark', () => {
  expect(splitTarget('/a')).toEqual({ path: '/a', query: '' });
  expect(splitTarget('/a?')).toEqual({ path: '/a', query: '?' });
  expect(splitTarget('/a?b=c?d')).toEqual({ path: '/a', query: '?b=c?d' });
});

describe('RFC 9421', () => {
  /** Appendix B.1.4 and B.2.6: the Ed25519 test key, the components and parameters it signs, and the signature. */
  const key = {
    crv: 'Ed25519',
    kty: 'OKP',
    d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU',
    x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
  };
  const params =
    '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"';
  const components = [
    ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
    ['@method', 'POST'],
    ['@path', '/foo'],
    ['@authority', 'example.com'],
    ['content-type', 'application/json'],
    ['content-length', '18'],
  ] as const;
  const signature = 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';

  it('gives the signature of its Ed25519 example from our signature base', () => {
    const base = Buffer.from(signatureBase(components, params));
    const testKey = createPrivateKey({ key, format: 'jwk' });
    expect(sign(null, base, testKey).toString('base64')).toBe(signature);
    expect(verify(null, base, createPublicKey(testKey), Buffer.from(signature, 'base64'))).toBe(true);
  });

  it('gives the digest of its example body (RFC 9530, sha-256)', () => {
    expect(contentDigest(text('{"hello": "world"}'))).toBe('sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:');
  });
});
