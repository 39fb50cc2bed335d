/** The master keys of this installation, from where the configuration says. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../../platform/config/config.ts';
import type { MasterKeySource } from '../../platform/config/master-key.ts';
import type { MasterKeys } from '../../platform/crypto/envelope.ts';
import { joinKeys, keysFromCommand, keysFromPassphrase, loadKeyFile } from '../../platform/crypto/master-keys.ts';
import type { Database } from '../../prisma/client.ts';
import { rememberedOnce } from '../../prisma/store/settings.ts';

/** The salt of a passphrase lies in the database, so that every process of the control plane derives the same key. */
async function keysOf(source: MasterKeySource, { db }: Database): Promise<MasterKeys> {
  switch (source.kind) {
    case 'command':
      return keysFromCommand(source.program);
    case 'file':
      return loadKeyFile(source.path);
    case 'passphrase':
      return keysFromPassphrase(source.passphrase, await rememberedOnce(db, 'passphrase.salt', randomBytes(16)));
  }
}

export async function loadMasterKeys(sources: Config['masterKeys'], database: Database): Promise<MasterKeys> {
  const [first, ...others] = sources;
  const rings: [MasterKeys, ...MasterKeys[]] = [await keysOf(first, database)];
  for (const source of others) rings.push(await keysOf(source, database));
  return joinKeys(rings);
}
