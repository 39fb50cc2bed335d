/** GitHub's objects that mirror ours: their numbers at GitHub, learned when a create is answered. */
import type { Db } from '../client.ts';
import { safeNumber } from './safe-number.ts';

export async function rememberCheckRun(db: Db, externalId: string, githubId: number): Promise<void> {
  await db.checkRun.update({ where: { externalId }, data: { githubId } });
}

export async function rememberGithubDeployment(db: Db, intentId: string, githubId: number): Promise<void> {
  await db.githubDeployment.update({ where: { intentId }, data: { githubId } });
}

/** Null when its create never reached GitHub. */
export async function checkRunNumber(db: Db, externalId: string): Promise<number | null> {
  const row = await db.checkRun.findUnique({ where: { externalId }, select: { githubId: true } });
  return row?.githubId == null ? null : safeNumber(row.githubId);
}

/** Null when its create never reached GitHub. */
export async function githubDeploymentNumber(db: Db, intentId: string): Promise<number | null> {
  const row = await db.githubDeployment.findUnique({ where: { intentId }, select: { githubId: true } });
  return row?.githubId == null ? null : safeNumber(row.githubId);
}
