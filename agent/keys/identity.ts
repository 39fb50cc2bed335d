/**
 * Who this node is: three key pairs made here, and what the control plane answered. The keys are on the disk before they are sent,
 * so a registration that fails at any step is repeated with the same keys (P13).
 */
import path from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { RegisterAnswer } from '../../core/contract/register.ts';
import { generateKeyPair } from '../../platform/crypto/keys.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { readIfThere } from '../../platform/files/if-there.ts';
import { writeAtomically } from '../storage/atomic-file.ts';

/** Raw keys of 32 bytes, base64url. */
const KeyPair = Type.Object({ publicKey: Type.String(), privateKey: Type.String() });

const Identity = Type.Object({
  version: Type.Literal(1),
  keys: Type.Object({ signing: KeyPair, sealing: KeyPair, wireguard: KeyPair }),
  /** Null until the control plane has answered. */
  registration: Type.Union([
    Type.Object({
      url: Type.String(),
      node: RegisterAnswer,
      /** SHA-256 of the token that it registered with, in hex. */
      tokenHash: Type.Optional(Type.String()),
    }),
    Type.Null(),
  ]),
});
export type Identity = Static<typeof Identity>;
export type Registration = NonNullable<Identity['registration']>;

const validator = Compile(Identity);

export interface IdentityFile {
  /** Makes keys, and saves them, when there are none yet. */
  readonly load: () => Promise<Identity>;
  readonly save: (identity: Identity) => Promise<void>;
}

export function identityFile(dataDir: string): IdentityFile {
  const file = path.join(dataDir, 'identity.json');
  const save = (identity: Identity): Promise<void> => writeAtomically(file, JSON.stringify(identity, null, 2));
  return {
    save,
    load: async () => {
      const text = await readIfThere(file);
      if (text !== null) return parse(file, text);
      const fresh = freshIdentity();
      await save(fresh);
      return fresh;
    },
  };
}

function freshIdentity(): Identity {
  const keys = {
    signing: generateKeyPair('Ed25519'),
    sealing: generateKeyPair('X25519'),
    wireguard: generateKeyPair('X25519'),
  };
  return { version: 1, keys, registration: null };
}

function parse(file: string, text: string): Identity {
  const value = json(text);
  if (validator.Check(value)) return value;
  throw new StalledError('identity_unreadable', `${file} does not hold the identity of a node.`, {
    hint: 'Restore it from a backup, or delete it and register the node anew with a token from `landfall node add`.',
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
