/** Access tokens of people and programs: shown once, stored hashed. */
import type { Db } from '../client.ts';

export interface Access {
  id: string;
  name: string;
}

export async function createAccessToken(db: Db, token: { name: string; tokenHash: string }): Promise<Access> {
  return db.accessToken.create({ data: token, select: { id: true, name: true } });
}

/** Makes the token known; a second time changes nothing, and a revoked one stays revoked. */
export async function ensureAccessToken(db: Db, token: { name: string; tokenHash: string }): Promise<void> {
  await db.accessToken.createMany({ data: [token], skipDuplicates: true });
}

/** Null when the token is not known, or revoked. */
export async function findAccess(db: Db, by: { tokenHash: string } | { id: string }): Promise<Access | null> {
  return db.accessToken.findFirst({ where: { ...by, revokedAt: null }, select: { id: true, name: true } });
}

export async function revokeAccessToken(db: Db, id: string, at: Date): Promise<void> {
  await db.accessToken.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: at } });
}
