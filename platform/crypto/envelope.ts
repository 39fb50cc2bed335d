/** Envelopes: what is secret in the database, encrypted under a master key and bound to its place. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { StalledError } from '../errors/errors.ts';

/** The first key encrypts; all of them decrypt. To rotate, put a new one first (docs/security.md). */
export interface MasterKeys {
  /** 32 bytes each. */
  keys: readonly [Uint8Array, ...Uint8Array[]];
}

/** Where a value lies: an envelope does not open anywhere else. */
export interface Place {
  table: string;
  column: string;
  id: string;
}

const version = 1;
const sizes = { version: 1, keyId: 8, nonce: 12, tag: 16 };
const headerSize = sizes.version + sizes.keyId + sizes.nonce + sizes.tag;

function keyId(key: Uint8Array): Buffer {
  return createHash('sha256').update('landfall master key id').update(key).digest().subarray(0, sizes.keyId);
}

function additionalData({ table, column, id }: Place): Buffer {
  return Buffer.from(JSON.stringify([table, column, id]));
}

/** AES-256-GCM: version, key id, nonce, tag, ciphertext. */
export function encrypt(masterKeys: MasterKeys, plaintext: Uint8Array, place: Place): Uint8Array<ArrayBuffer> {
  const [key] = masterKeys.keys;
  const nonce = randomBytes(sizes.nonce);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData(place));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return new Uint8Array(Buffer.concat([Buffer.of(version), keyId(key), nonce, cipher.getAuthTag(), ciphertext]));
}

/** The names of the keys, in their order: 16 hex digits each, as an envelope carries the one of its key. */
export function keyIds(masterKeys: MasterKeys): readonly [string, ...string[]] {
  const [first, ...others] = masterKeys.keys;
  return [keyId(first).toString('hex'), ...others.map((key) => keyId(key).toString('hex'))];
}

/** Throws StalledError when no key fits, or the envelope was changed or moved. */
export function decrypt(masterKeys: MasterKeys, envelope: Uint8Array, place: Place): Buffer {
  const bytes = Buffer.from(envelope);
  let offset = sizes.version;
  const take = (size: number): Buffer => bytes.subarray(offset, (offset += size));
  const [id, nonce, tag] = [take(sizes.keyId), take(sizes.nonce), take(sizes.tag)];
  const key = masterKeys.keys.find((each) => keyId(each).equals(id));
  if (bytes.length < headerSize || bytes[0] !== version || key === undefined)
    throw new StalledError(
      'master_key_missing',
      `${place.table}.${place.column} is encrypted under a key that is not here.`,
      {
        hint: 'Start with the master key that this database was used with; a backup of the database is of no use without it.',
      },
    );
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(additionalData(place)).setAuthTag(tag);
    return Buffer.concat([decipher.update(bytes.subarray(headerSize)), decipher.final()]);
  } catch (error) {
    throw new StalledError('envelope_changed', `${place.table}.${place.column} of ${place.id} was changed or moved.`, {
      hint: 'Restore the row from a backup, or set the value again.',
      cause: error,
    });
  }
}
