/** GitHub App installations, by GitHub's number. */
import Type from 'typebox';
import Value from 'typebox/value';
import type { Db } from '../client.ts';
import { safeNumber } from './safe-number.ts';

export interface InstallationAccount {
  id: number;
  login: string;
  type: string;
}

export interface InstallationFacts {
  id: number;
  account: InstallationAccount;
  permissions: Record<string, string>;
  suspendedAt: Date | null;
}

export interface InstallationState extends InstallationFacts {
  removed: boolean;
  /** Of the last write of what GitHub says: who asks GitHub writes the answer only while this is still the same. */
  factsAt: Date | null;
}

const Permissions = Type.Record(Type.String(), Type.String());

export async function findInstallation(db: Db, id: number): Promise<InstallationState | null> {
  const row = await db.installation.findUnique({ where: { id } });
  if (row === null) return null;
  return {
    id: safeNumber(row.id),
    account: { id: safeNumber(row.accountId), login: row.accountLogin, type: row.accountType },
    permissions: Value.Check(Permissions, row.permissions) ? row.permissions : {},
    suspendedAt: row.suspendedAt,
    removed: row.deletedAt !== null,
    factsAt: row.factsAt,
  };
}

/** False when it is known already: then nothing is written. */
export async function insertInstallation(db: Db, facts: InstallationFacts): Promise<boolean> {
  const { count } = await db.installation.createMany({
    data: [{ id: facts.id, ...columns(facts) }],
    skipDuplicates: true,
  });
  return count === 1;
}

/** For events that only name the installation: writes it down unless it is known. */
export async function ensureInstallation(db: Db, id: number, account: InstallationAccount): Promise<void> {
  await db.installation.createMany({ data: [{ id, ...accountColumns(account) }], skipDuplicates: true });
}

export interface InstallationAnswer {
  facts: InstallationFacts;
  /** Before GitHub answered. */
  askedAt: Date;
}

/** Writes down what GitHub answered. False when somebody wrote since `known` was read: then it is to be asked again. */
export async function replaceInstallation(
  db: Db,
  known: InstallationState,
  { facts, askedAt }: InstallationAnswer,
): Promise<boolean> {
  const { count } = await db.installation.updateMany({
    where: { id: known.id, deletedAt: null, factsAt: known.factsAt },
    data: { ...columns(facts), factsAt: askedAt },
  });
  return count === 1;
}

/** The app was uninstalled: nothing of it can be seen any more, and its number is never given again. */
export async function removeInstallation(db: Db, facts: InstallationFacts, at: Date): Promise<void> {
  await insertInstallation(db, facts);
  await db.installation.updateMany({ where: { id: facts.id, deletedAt: null }, data: { deletedAt: at } });
}

function columns({ account, permissions, suspendedAt }: InstallationFacts) {
  return { ...accountColumns(account), permissions, suspendedAt };
}

function accountColumns(account: InstallationAccount) {
  return { accountId: account.id, accountLogin: account.login, accountType: account.type };
}
