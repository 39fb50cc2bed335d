import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CredentialsRequestSchema, CredentialsResponseSchema } from './gen/auth_pb.ts';
import { GetSecretRequestSchema, GetSecretResponseSchema } from './gen/secrets_pb.ts';
import type { Method } from './grpc-server.ts';
import { credentialsMethod, patternHeader, requestedPatterns, secretMethod } from './session-methods.ts';

function headers(values: Readonly<Record<string, readonly string[]>>) {
  return { header: (name: string) => values[name] ?? [] };
}

function ask(method: Method, request: Uint8Array): Uint8Array {
  if (method.kind !== 'unary') throw new Error('The method is a stream.');
  return method.answer(Buffer.from(request));
}

describe('the headers of a context request', () => {
  it('keep a comma in a path', () => {
    expect(patternHeader(headers({ followpaths: ['a, b', 'c'] }), 'followpaths')).toEqual(['a, b', 'c']);
  });

  it('are decoded when they say that they are encoded', () => {
    const encoded = headers({ followpaths: ['%C3%A9+x%2B'], 'followpaths-encoded': ['1'] });
    expect(patternHeader(encoded, 'followpaths')).toEqual(['é x+']);
    expect(patternHeader(headers({ followpaths: ['100%25'] }), 'followpaths')).toEqual(['100%25']);
  });

  it('include what is to be followed, and everything when that is the root', () => {
    const call = headers({ 'include-patterns': ['a'], followpaths: ['b'], 'exclude-patterns': ['c'] });
    expect(requestedPatterns(call, '/none')).toEqual({ include: ['a', 'b'], exclude: ['c'] });
    expect(requestedPatterns(headers({ followpaths: ['.'] }), '/none')).toEqual({ include: [], exclude: [] });
  });
});

describe('what a build is given', () => {
  it('is the secret of that name and no other', () => {
    const method = secretMethod({ token: Buffer.from('canary') });
    const request = (id: string) => toBinary(GetSecretRequestSchema, create(GetSecretRequestSchema, { id }));
    expect(Buffer.from(fromBinary(GetSecretResponseSchema, ask(method, request('token'))).data).toString()).toBe(
      'canary',
    );
    expect(() => ask(method, request('toke'))).toThrow('secret toke is not given to this build');
    expect(() => ask(method, request('constructor'))).toThrow('is not given');
  });

  it('are the credentials of that registry, or none', () => {
    const method = credentialsMethod((host) => (host === 'r.test' ? { username: 'u', password: 'p' } : undefined));
    const answer = (host: string) =>
      fromBinary(
        CredentialsResponseSchema,
        ask(method, toBinary(CredentialsRequestSchema, create(CredentialsRequestSchema, { host }))),
      );
    expect(answer('r.test')).toMatchObject({ username: 'u', secret: 'p' });
    expect(answer('other.test')).toMatchObject({ username: '', secret: '' });
  });
});
