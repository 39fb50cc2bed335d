/** Master keys: from a key file, from a program such as the client of a key service, or from a passphrase through Argon2id. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import { argon2id } from '@noble/hashes/argon2.js';
import { codeOf } from '../errors/classify.ts';
import { StalledError } from '../errors/errors.ts';
import type { MasterKeys } from './envelope.ts';
import { secretFile } from './secret-file.ts';

const keySize = 32;
const commandWithinMs = 30_000;

function parseKey(line: string, origin: string): Uint8Array {
  const key = Buffer.from(line, 'base64');
  if (key.length === keySize) return key;
  throw new StalledError('master_key_invalid', `${origin} holds a line that is not a key.`, {
    hint: `Each line is ${keySize} random bytes in base64, for example from: openssl rand -base64 ${keySize}`,
  });
}

function parseKeys(text: string, origin: string): MasterKeys {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [first, ...rest] = lines.map((line) => parseKey(line, origin));
  if (first !== undefined) return { keys: [first, ...rest] };
  throw new StalledError('master_key_invalid', `${origin} is empty.`, {
    hint: 'Restore it from your backup: what is encrypted under it does not open without it.',
  });
}

/** One key a line, base64; the first encrypts, the others still decrypt. The file is made when it is missing. */
export function loadKeyFile(file: string): MasterKeys {
  const text = secretFile(file, () => `${randomBytes(keySize).toString('base64')}\n`);
  if ((statSync(file).mode & 0o077) !== 0)
    throw new StalledError('master_key_readable', `Others can read the master key ${file}.`, {
      hint: `Run: chmod 600 ${file}`,
    });
  return parseKeys(text, `The master key file ${file}`);
}

/**
 * What the program prints is read as a key file is. It is run without arguments and without a shell.
 * @throws StalledError which never repeats what it printed on standard output.
 */
export async function keysFromCommand(program: string): Promise<MasterKeys> {
  const origin = `What ${program} (LANDFALL_MASTER_KEY_COMMAND) printed`;
  try {
    const { stdout } = await promisify(execFile)(program, [], { timeout: commandWithinMs });
    return parseKeys(stdout, origin);
  } catch (error) {
    if (error instanceof StalledError) throw error;
    throw new StalledError('master_key_command', `${program} gave no master key: ${whyFailed(error)}.`, {
      hint: 'LANDFALL_MASTER_KEY_COMMAND names one program, which prints the key and ends with 0 within 30 seconds.',
    });
  }
}

function whyFailed(error: unknown): string {
  if (error instanceof Error && 'killed' in error && error.killed === true) return 'it did not end in time';
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  const code = codeOf(error);
  return [Number.isNaN(Number(code)) ? code : `it ended with ${code}`, said].filter((part) => part !== '').join(', ');
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

/** One ring of several: the first key of the first of them encrypts. */
export function joinKeys([first, ...rest]: readonly [MasterKeys, ...MasterKeys[]]): MasterKeys {
  return { keys: [...first.keys, ...rest.flatMap(({ keys }) => keys)] };
}
