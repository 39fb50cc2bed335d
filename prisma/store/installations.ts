/** GitHub App installations, by GitHub's number. */
import type { Db } from '../client.ts';

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

/**
 * Writes down what GitHub says of an installation. One that was removed stays removed: GitHub never gives a number again, so
 * that news is only late.
 */
export async function upsertInstallation(db: Db, facts: InstallationFacts): Promise<void> {
  const data = { ...accountColumns(facts.account), permissions: facts.permissions, suspendedAt: facts.suspendedAt };
  await db.installation.upsert({ where: { id: facts.id }, create: { id: facts.id, ...data }, update: data });
}

/** For events that only name the installation: writes it down unless it is known. */
export async function ensureInstallation(db: Db, id: number, account: InstallationAccount): Promise<void> {
  await db.installation.createMany({ data: [{ id, ...accountColumns(account) }], skipDuplicates: true });
}

/** The app was uninstalled: nothing of it can be seen any more. */
export async function removeInstallation(db: Db, facts: InstallationFacts, at: Date): Promise<void> {
  await upsertInstallation(db, facts);
  await db.installation.updateMany({ where: { id: facts.id, deletedAt: null }, data: { deletedAt: at } });
}

export async function suspendInstallation(db: Db, id: number, suspendedAt: Date | null): Promise<void> {
  await db.installation.updateMany({ where: { id }, data: { suspendedAt } });
}

function accountColumns(account: InstallationAccount) {
  return { accountId: account.id, accountLogin: account.login, accountType: account.type };
}
