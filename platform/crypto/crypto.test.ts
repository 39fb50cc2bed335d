import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../test/folder.ts';
import { StalledError } from '../errors/errors.ts';
import { decrypt, encrypt, keyIds, type MasterKeys } from './envelope.ts';
import { hashToken, newToken, sameSecret } from './hash.ts';
import { generateKeyPair, importPrivateKey, importPublicKey } from './keys.ts';
import { keysFromPassphrase, loadKeyFile } from './master-keys.ts';
import { open, seal } from './sealing.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

describe('sealing', () => {
  const node = generateKeyPair('X25519');
  const key = importPrivateKey('X25519', node);

  it('opens what was sealed to this key, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        expect(new Uint8Array(open(key, seal(node.publicKey, bytes, 'use'), 'use'))).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  it('P60: opens on no other node', () => {
    const other = importPrivateKey('X25519', generateKeyPair('X25519'));
    expect(() => open(other, seal(node.publicKey, text('canary'), 'use'), 'use')).toThrow(StalledError);
  });

  it('does not open for another use', () => {
    expect(() => open(key, seal(node.publicKey, text('canary'), 'registry'), 'source-token')).toThrow(StalledError);
  });

  it('does not open when any byte was changed, or it is cut', () => {
    const sealed = Buffer.from(seal(node.publicKey, text('canary'), 'use'), 'base64url');
    for (let at = 0; at < sealed.length; at++)
      expect(() => open(key, Buffer.from(flip(sealed, at)).toString('base64url'), 'use')).toThrow(StalledError);
    for (const length of [0, 1, 60, sealed.length - 1])
      expect(() => open(key, sealed.subarray(0, length).toString('base64url'), 'use')).toThrow(StalledError);
  });

  it('refuses a public key of another size', () => {
    expect(() => importPublicKey('X25519', 'short')).toThrow(/32 bytes/);
  });
});

describe('envelopes', () => {
  const one: MasterKeys = { keys: [new Uint8Array(32).fill(1)] };
  const rotated: MasterKeys = { keys: [new Uint8Array(32).fill(2), one.keys[0]] };
  const place = { table: 'Secret', column: 'valueSealed', id: 's1' };

  it('P64: does not hold the plaintext, and opens with the key', () => {
    const envelope = encrypt(one, text('canary-secret'), place);
    expect(Buffer.from(envelope).includes('canary-secret')).toBe(false);
    expect(decrypt(one, envelope, place).toString()).toBe('canary-secret');
  });

  it('opens only in its place', () => {
    const envelope = encrypt(one, text('x'), place);
    expect(() => decrypt(one, envelope, { ...place, id: 's2' })).toThrow(/was changed or moved/);
  });

  it('opens after the key was rotated, and names its key', () => {
    const envelope = encrypt(one, text('x'), place);
    expect(decrypt(rotated, envelope, place).toString()).toBe('x');
    expect(Buffer.from(envelope).subarray(1, 9).toString('hex')).toBe(keyIds(one)[0]);
    expect(keyIds(rotated)[1]).toBe(keyIds(one)[0]);
    expect(() => decrypt(one, encrypt(rotated, text('x'), place), place)).toThrow(/key that is not here/);
  });

  it('refuses changed and cut envelopes', () => {
    const envelope = encrypt(one, text('x'), place);
    for (let at = 0; at < envelope.length; at++)
      expect(() => decrypt(one, flip(envelope, at), place)).toThrow(StalledError);
    expect(() => decrypt(one, envelope.subarray(0, 10), place)).toThrow(StalledError);
  });
});

describe('master keys', () => {
  it('makes a key file that only its owner reads, and reads it again', () => {
    const file = path.join(testFolder(), 'data', 'master.key');
    const made = loadKeyFile(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(loadKeyFile(file)).toEqual(made);
    writeFileSync(file, `${Buffer.alloc(32, 7).toString('base64')}\n${readFileSync(file, 'utf8')}`);
    expect(loadKeyFile(file).keys).toHaveLength(2);
  });

  it('refuses a key file that others read, that is empty, or holds something else', () => {
    const file = path.join(testFolder(), 'master.key');
    writeFileSync(file, `${Buffer.alloc(32).toString('base64')}\n`, { mode: 0o644 });
    expect(() => loadKeyFile(file)).toThrow(/Others can read/);
    const other = `${file}.2`;
    writeFileSync(other, '\n', { mode: 0o600 });
    expect(() => loadKeyFile(other)).toThrow(/is empty/);
    writeFileSync(other, 'c2hvcnQ=\n');
    expect(() => loadKeyFile(other)).toThrow(/not a key/);
  });

  it('derives the same key from the same passphrase and salt', () => {
    const salt = new Uint8Array(16).fill(3);
    const [key] = keysFromPassphrase('correct horse battery', salt).keys;
    expect(key).toHaveLength(32);
    expect(keysFromPassphrase('correct horse battery', salt).keys[0]).toEqual(key);
    expect(() => keysFromPassphrase('short', salt)).toThrow(/12 characters/);
  });
});

describe('tokens', () => {
  it('are long, told apart, and stored as a hash', () => {
    const token = newToken('lfr');
    expect(token).toMatch(/^lfr_[\w-]{43}$/);
    expect(newToken('lfr')).not.toBe(token);
    expect(hashToken(token)).toMatch(/^[0-9a-f]{64}$/);
    expect([sameSecret(token, token), sameSecret(token, `${token}x`)]).toEqual([true, false]);
  });
});
