/** After the master key was rotated: what is encrypted under an older key is encrypted anew under the first, in small steps. */
import { decrypt, encrypt, keyIds, type MasterKeys } from '../../platform/crypto/envelope.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Database } from '../../prisma/client.ts';
import { replaceSecretEnvelope, secretsUnderOtherKeys, type EnvelopeRow } from '../../prisma/store/envelopes.ts';

export interface Reencryption {
  database: Database;
  masterKeys: MasterKeys;
  log: Logger;
  /** Ends it after the batch under way; the next start goes on. */
  signal: AbortSignal;
}

export interface Reencrypted {
  reencrypted: number;
  /** Under a key that is not here, or changed: they stay as they are. */
  closed: number;
}

const batch = 100;

export async function reencryptSecrets({ database, masterKeys, log, signal }: Reencryption): Promise<Reencrypted> {
  const [current, ...older] = keyIds(masterKeys);
  const done: Reencrypted = { reencrypted: 0, closed: 0 };
  let after: string | null = null;
  while (!signal.aborted) {
    const rows: EnvelopeRow[] = await secretsUnderOtherKeys(database.db, current, { after, limit: batch });
    for (const row of rows) {
      const fresh = renewed(masterKeys, row);
      if (fresh === null) done.closed += 1;
      else if (await replaceSecretEnvelope(database.db, row, fresh)) done.reencrypted += 1;
    }
    after = rows.at(-1)?.id ?? null;
    if (after !== null) continue;
    report(log, done, older.length);
    return done;
  }
  return done;
}

/** Null when it does not open. */
function renewed(masterKeys: MasterKeys, { id, valueSealed }: EnvelopeRow): Uint8Array<ArrayBuffer> | null {
  const place = { table: 'Secret', column: 'valueSealed', id };
  try {
    return encrypt(masterKeys, decrypt(masterKeys, valueSealed, place), place);
  } catch (error) {
    if (error instanceof StalledError) return null;
    throw error;
  }
}

function report(log: Logger, { reencrypted, closed }: Reencrypted, olderKeys: number): void {
  if (closed > 0)
    log.error({ secrets: closed }, 'secrets do not open with the master keys that are here; set them again');
  if (reencrypted > 0) log.info({ secrets: reencrypted }, 'secrets are encrypted under the first master key now');
  if (olderKeys > 0 && closed === 0) log.info({ keys: olderKeys }, 'no secret needs the older master keys any more');
}
