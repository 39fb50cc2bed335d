/** What GitHub's check runs mirror, found by the external id that we gave them. */
import { brokenConfigWrites, type BrokenConfig } from '../../core/report/broken-config.ts';
import { configAgainWrites, type ConfigAgain } from '../../core/report/config-again.ts';
import type { Write } from '../../core/report/writes.ts';
import type { Db } from '../client.ts';
import { owe, type Lane } from './outbox.ts';

export interface MirroredIntent {
  id: string;
  environment: string;
  sha: string;
  ref: string;
}

export type MirroredCheckRun =
  | { kind: 'intent'; intent: MirroredIntent }
  /** Of a configuration that could not be taken. */
  | { kind: 'config'; externalId: string };

/** Null when it is not one of ours in this repository. */
export async function findMirroredCheckRun(
  db: Db,
  repositoryId: number,
  externalId: string,
): Promise<MirroredCheckRun | null> {
  const row = await db.checkRun.findFirst({
    where: { externalId, repositoryId },
    include: { intent: { select: { id: true, sha: true, ref: true, environment: { select: { name: true } } } } },
  });
  if (row === null) return null;
  if (row.intent === null) return { kind: 'config', externalId };
  const { id, sha, ref, environment } = row.intent;
  return { kind: 'intent', intent: { id, sha, ref, environment: environment.name } };
}

/** The last intent of every environment that this commit was brought to. */
export async function intentsOfCommit(db: Db, repositoryId: number, sha: string): Promise<MirroredIntent[]> {
  const rows = await db.intent.findMany({
    where: { sha, environment: { project: { repositoryId } } },
    orderBy: { createdAt: 'desc' },
    distinct: ['environmentId'],
    select: { id: true, sha: true, ref: true, environment: { select: { name: true } } },
  });
  return rows.map(({ id, sha, ref, environment }) => ({ id, sha, ref, environment: environment.name }));
}

/** Owes GitHub the failed check run of a configuration that could not be taken. Gives the lane to flush after the commit. */
export async function reportBrokenConfig(
  db: Db,
  installationId: number,
  broken: BrokenConfig,
  now: Date,
): Promise<Lane | null> {
  const [write] = brokenConfigWrites(broken, now);
  if (write?.kind !== 'createCheckRun') return null;
  const { name, external_id: externalId } = write.payload.body;
  await db.checkRun.createMany({
    data: [{ repositoryId: broken.repositoryId, sha: broken.sha, name, externalId }],
    skipDuplicates: true,
  });
  return oweAbout(db, installationId, { subject: externalId, writes: [write] });
}

/** Owes GitHub the end of such a check run when a person asked for it again. Gives the lane to flush after the commit. */
export async function reportConfigAgain(
  db: Db,
  installationId: number,
  again: ConfigAgain,
  now: Date,
): Promise<Lane | null> {
  return oweAbout(db, installationId, { subject: again.externalId, writes: configAgainWrites(again, now) });
}

/** Of one check run, so that its end is never sent before its beginning. */
async function oweAbout(
  db: Db,
  installationId: number,
  { subject, writes }: { subject: string; writes: Write[] },
): Promise<Lane | null> {
  return owe(
    db,
    installationId,
    writes.map((write) => ({ ...write, subject })),
  );
}
