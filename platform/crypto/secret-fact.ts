/** Tells whether a stored secret opens with the master keys that are here. Its value goes nowhere. */
import type { SecretFact } from '../../core/expected/left-out.ts';
import { StalledError } from '../errors/errors.ts';
import { decrypt, type MasterKeys } from './envelope.ts';

export interface StoredSecret {
  id: string;
  name: string;
  valueSealed: Uint8Array;
}

export function secretFact(masterKeys: MasterKeys, { id, name, valueSealed }: StoredSecret): SecretFact {
  try {
    decrypt(masterKeys, valueSealed, { table: 'Secret', column: 'valueSealed', id });
    return { name, state: 'opens' };
  } catch (error) {
    if (!(error instanceof StalledError)) throw error;
    return { name, state: error.code === 'master_key_missing' ? 'key_missing' : 'damaged' };
  }
}
