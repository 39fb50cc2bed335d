/** Envelopes at rest: under which master key each is, and how one is taken to another key. */
import type { Db } from '../client.ts';

export interface EnvelopeRow {
  id: string;
  valueSealed: Uint8Array<ArrayBuffer>;
}

export interface KeyUse {
  /** As platform/crypto names keys: 16 hex digits. */
  keyId: string;
  secrets: number;
}

/** Bytes 2 to 9 of an envelope name its key (platform/crypto/envelope.ts). */
export async function secretsPerKey(db: Db): Promise<KeyUse[]> {
  return db.$queryRaw<KeyUse[]>`
    SELECT encode(substring("valueSealed" FROM 2 FOR 8), 'hex') AS "keyId", count(*)::int AS secrets
    FROM "Secret" GROUP BY 1 ORDER BY 1`;
}

/** Secrets under another key than this, in the order of their ids, of those that come after an id. */
export async function secretsUnderOtherKeys(
  db: Db,
  keyId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<EnvelopeRow[]> {
  const from = after ?? '00000000-0000-0000-0000-000000000000';
  return db.$queryRaw<EnvelopeRow[]>`
    SELECT id, "valueSealed" FROM "Secret"
    WHERE id > ${from}::uuid AND substring("valueSealed" FROM 2 FOR 8) <> decode(${keyId}, 'hex')
    ORDER BY id LIMIT ${limit}`;
}

/** Puts the envelope in the other's place. False when that is not there any more. */
export async function replaceSecretEnvelope(
  db: Db,
  { id, valueSealed }: EnvelopeRow,
  envelope: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { count } = await db.secret.updateMany({ where: { id, valueSealed }, data: { valueSealed: envelope } });
  return count === 1;
}
