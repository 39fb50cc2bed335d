import { describe, expect, it } from 'vitest';
import { readSessionCookie, sessionCookie, sign, verify } from './session.ts';

const masterKeys = { keys: [new Uint8Array(32).fill(1)] } as const;
const rotated = { keys: [new Uint8Array(32).fill(2), masterKeys.keys[0]] } as const;
const other = { keys: [new Uint8Array(32).fill(3)] } as const;
const now = new Date('2030-01-01T00:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const day = 24 * 3_600_000;

describe('sessions', () => {
  const { text } = sign(masterKeys, 'login link', { access: 'a1', now });

  it('name the access token until they expire, also after the master key was rotated', () => {
    expect(verify(masterKeys, 'login link', { text, now })).toBe('a1');
    expect(verify(rotated, 'login link', { text, now: later(day - 1) })).toBe('a1');
    expect(verify(masterKeys, 'login link', { text, now: later(day) })).toBeNull();
  });

  it('are not taken for the other kind, under another key, or changed', () => {
    expect(verify(masterKeys, 'session', { text, now })).toBeNull();
    expect(verify(other, 'login link', { text, now })).toBeNull();
    const [content = '', signature = ''] = text.split('.');
    const forged = Buffer.from(JSON.stringify({ access: 'a2', until: later(day).getTime() })).toString('base64url');
    for (const wrong of [`${forged}.${signature}`, content, `${text}.x`, '', '.'])
      expect(verify(masterKeys, 'login link', { text: wrong, now })).toBeNull();
  });

  it('travel in a cookie that scripts cannot read', () => {
    const cookie = sessionCookie(sign(masterKeys, 'session', { access: 'a1', now }), { secure: true });
    expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Expires=.*; Secure$/);
    const value = readSessionCookie(`theme=dark; ${cookie.split(';')[0]}`);
    expect(verify(masterKeys, 'session', { text: value ?? '', now })).toBe('a1');
    expect(readSessionCookie(undefined)).toBeNull();
  });
});
