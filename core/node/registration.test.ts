import { describe, expect, it } from 'vitest';
import { decideRegistration, type RegisteredNode, type RegistrationFacts } from './registration.ts';

const now = new Date('2030-01-02T00:00:00Z');
const keys = { signingKey: 'sign', sealingKey: 'seal', wireguardKey: 'wire' };
const request = { ...keys, kind: 'worker' as const };
const node: RegisteredNode = { ...keys, id: 'n1', name: 'one', subnet: 1, removed: false };
const token = {
  nodeName: 'one',
  kind: 'worker' as const,
  expiresAt: new Date('2030-01-02T00:00:01Z'),
  node: null,
};
const facts: RegistrationFacts = { token, sameKey: null, sameName: null };
const code = (changed: Partial<RegistrationFacts>) => decideRegistration({ ...facts, ...changed }, request, now);

describe('decideRegistration', () => {
  it('makes the node that the token names', () => {
    expect(code({})).toEqual({ kind: 'create', name: 'one', revive: null });
  });

  it('P13: answers the same agent again, even after the token has expired', () => {
    const used = { ...token, node, expiresAt: new Date(0) };
    expect(code({ token: used, sameKey: node, sameName: node })).toEqual({ kind: 'repeat', nodeId: 'n1' });
  });

  it.each([
    ['token_unknown', { token: null }],
    ['token_expired', { token: { ...token, expiresAt: now } }],
    ['token_used', { token: { ...token, node: { ...node, signingKey: 'other' } } }],
    ['token_used', { token: { ...token, node: { ...node, wireguardKey: 'other' } } }],
    ['kind_mismatch', { token: { ...token, kind: 'proxy' as const } }],
    ['key_taken', { sameKey: node }],
    ['name_taken', { sameName: { ...node, signingKey: 'other' } }],
    ['node_removed', { token: { ...token, node: { ...node, removed: true } } }],
  ])('refuses with %s', (refusal, changed) => {
    expect(code(changed)).toEqual({ kind: 'refuse', code: refusal });
  });

  it('lets a removed node come back under a new token, with its id', () => {
    expect(code({ sameKey: { ...node, removed: true } })).toEqual({ kind: 'create', name: 'one', revive: 'n1' });
  });
});
