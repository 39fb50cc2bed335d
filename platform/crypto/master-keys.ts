/** Master keys: from a key file, or from a passphrase through Argon2id. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { argon2id } from '@noble/hashes/argon2.js';
import { StalledError } from '../errors/errors.ts';
import type { MasterKeys } from './envelope.ts';

const keySize = 32;

function parseKey(line: string, file: string): Uint8Array {
  const key = Buffer.from(line, 'base64');
  if (key.length === keySize) return key;
  throw new StalledError('master_key_invalid', `${file} holds a line that is not a key.`, {
    hint: `Each line is ${keySize} random bytes in base64, for example from: openssl rand -base64 ${keySize}`,
  });
}

/** One key a line, base64; the first encrypts, the others still decrypt. The file is made when it is missing. */
export function loadKeyFile(file: string): MasterKeys {
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${randomBytes(keySize).toString('base64')}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  if ((statSync(file).mode & 0o077) !== 0)
    throw new StalledError('master_key_readable', `Others can read the master key ${file}.`, {
      hint: `Run: chmod 600 ${file}`,
    });
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const [first, ...rest] = lines.map((line) => parseKey(line, file));
  if (first === undefined)
    throw new StalledError('master_key_invalid', `The master key file ${file} is empty.`, {
      hint: 'Restore it from your backup: what is encrypted under it does not open without it.',
    });
  return { keys: [first, ...rest] };
}

/**
 * Argon2id with 64 MiB and three passes (RFC 9106, section 4, second choice): about a second, once at start.
 * @param salt 16 random bytes, kept beside the database; not secret.
 */
export function keysFromPassphrase(passphrase: string, salt: Uint8Array): MasterKeys {
  if (passphrase.length < 12)
    throw new StalledError('passphrase_short', 'LANDFALL_PASSPHRASE is shorter than 12 characters.', {
      hint: 'Take a long one: whoever has the database can try passphrases at leisure.',
    });
  return { keys: [argon2id(passphrase, salt, { t: 3, m: 65_536, p: 4, dkLen: keySize })] };
}
