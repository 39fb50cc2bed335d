/** The master keys of this installation, from where the configuration says. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../../platform/config/config.ts';
import type { MasterKeys } from '../../platform/crypto/envelope.ts';
import { keysFromPassphrase, loadKeyFile } from '../../platform/crypto/master-keys.ts';
import type { Database } from '../../prisma/client.ts';
import { rememberedOnce } from '../../prisma/store/settings.ts';

/** The salt of a passphrase lies in the database, so that every process of the control plane derives the same key. */
export async function loadMasterKeys(masterKey: Config['masterKey'], { db }: Database): Promise<MasterKeys> {
  if (masterKey.kind === 'file') return loadKeyFile(masterKey.path);
  return keysFromPassphrase(masterKey.passphrase, await rememberedOnce(db, 'passphrase.salt', randomBytes(16)));
}
