/** Access tokens of people and programs: shown once, stored hashed, in force until they are revoked. */
import type { AccessToken, Db } from '../client.ts';

export interface Access {
  id: string;
  name: string;
}

/** The name of the token that the configuration holds. No other can have it: names that people give are of small letters. */
export const configuredName = 'LANDFALL_ACCESS_TOKEN';

const access = { id: true, name: true } as const;

export async function createAccessToken(db: Db, token: { name: string; tokenHash: string }): Promise<AccessToken> {
  return db.accessToken.create({ data: token });
}

/** Until the transaction ends, no other gives or takes names of tokens. */
export async function lockAccessTokens(db: Db): Promise<void> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('access tokens', 0))`;
}

/** Null when the token is not known, or revoked. */
export async function findAccess(
  db: Db,
  by: { tokenHash: string } | { id: string } | { name: string },
): Promise<Access | null> {
  return db.accessToken.findFirst({ where: { ...by, revokedAt: null }, select: access });
}

/** Those in force, by name. */
export async function accessTokens(db: Db): Promise<AccessToken[]> {
  return db.accessToken.findMany({ where: { revokedAt: null }, orderBy: [{ name: 'asc' }, { createdAt: 'asc' }] });
}

/** Gives what it was; null when it was not in force. */
export async function revokeAccessToken(db: Db, id: string, at: Date): Promise<Access | null> {
  const [revoked] = await db.accessToken.updateManyAndReturn({
    where: { id, revokedAt: null },
    data: { revokedAt: at },
    select: access,
  });
  return revoked ?? null;
}

export interface Configured {
  /** The token that the configuration holds now; null when it holds none. */
  token: (Access & { inForce: boolean; isNew: boolean }) | null;
  /** Tokens that it held before, revoked by this call. */
  replaced: Access[];
}

/**
 * Makes the configured token known, and revokes those that the configuration held before. One that was revoked stays revoked. The
 * caller holds the lock.
 */
export async function replaceConfiguredToken(db: Db, tokenHash: string | null, at: Date): Promise<Configured> {
  const others = tokenHash === null ? {} : { tokenHash: { not: tokenHash } };
  const replaced = await db.accessToken.updateManyAndReturn({
    where: { name: configuredName, revokedAt: null, ...others },
    data: { revokedAt: at },
    select: access,
  });
  if (tokenHash === null) return { token: null, replaced };
  const known = await db.accessToken.findUnique({ where: { tokenHash } });
  const { id, name, revokedAt } = known ?? (await createAccessToken(db, { name: configuredName, tokenHash }));
  return { token: { id, name, inForce: revokedAt === null, isNew: known === null }, replaced };
}
