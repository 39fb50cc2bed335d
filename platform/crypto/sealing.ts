/** Sealed texts: encrypted to one X25519 key, bound to what they are for. Whoever seals cannot open. */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { StalledError } from '../errors/errors.ts';
import { generateKeyPair, importPrivateKey, importPublicKey } from './keys.ts';

const version = 1;
const sizes = { version: 1, publicKey: 32, nonce: 12, tag: 16 };
const headerSize = sizes.version + sizes.publicKey + sizes.nonce + sizes.tag;

function contentKey(shared: Buffer, keys: { ephemeral: Buffer; recipient: Buffer }, context: string): Buffer {
  const salt = Buffer.concat([keys.ephemeral, keys.recipient]);
  return Buffer.from(hkdfSync('sha256', shared, salt, context, 32));
}

/**
 * An ephemeral X25519 key agrees with the recipient's; HKDF-SHA256 gives the key of AES-256-GCM.
 * @param publicKey Of the recipient, raw, base64url.
 * @param context What the text is for: it opens under the same context only.
 * @returns base64url of version, ephemeral key, nonce, tag and ciphertext.
 */
export function seal(publicKey: string, plaintext: Uint8Array, context: string): string {
  const ephemeral = generateKeyPair('X25519');
  const shared = diffieHellman({
    privateKey: importPrivateKey('X25519', ephemeral),
    publicKey: importPublicKey('X25519', publicKey),
  });
  const ephemeralBytes = Buffer.from(ephemeral.publicKey, 'base64url');
  const key = contentKey(
    shared,
    { ephemeral: ephemeralBytes, recipient: Buffer.from(publicKey, 'base64url') },
    context,
  );
  const nonce = randomBytes(sizes.nonce);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(version), ephemeralBytes, nonce, cipher.getAuthTag(), ciphertext]).toString(
    'base64url',
  );
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  return Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url');
}

function unopened(cause?: unknown): StalledError {
  return new StalledError('sealed_unreadable', 'A sealed text does not open with the key of this node.', {
    hint: 'It was sealed to another node or for another use. Register the node anew if its keys were replaced.',
    cause,
  });
}

/** Throws StalledError when the text was sealed to another key, for another context, or was changed. */
export function open(privateKey: KeyObject, sealed: string, context: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < headerSize || bytes[0] !== version) throw unopened();
  let offset = sizes.version;
  const take = (size: number): Buffer => bytes.subarray(offset, (offset += size));
  const [ephemeral, nonce, tag] = [take(sizes.publicKey), take(sizes.nonce), take(sizes.tag)];
  try {
    const publicKey = importPublicKey('X25519', ephemeral.toString('base64url'));
    const shared = diffieHellman({ privateKey, publicKey });
    const key = contentKey(shared, { ephemeral, recipient: rawPublicKey(privateKey) }, context);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context)).setAuthTag(tag);
    return Buffer.concat([decipher.update(bytes.subarray(headerSize)), decipher.final()]);
  } catch (error) {
    throw unopened(error);
  }
}
