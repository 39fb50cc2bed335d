/** What GitHub's check runs mirror, found by the external id that we gave them. */
import { brokenConfigWrites, type BrokenConfig } from '../../core/report/broken-config.ts';
import type { Db } from '../client.ts';
import { newestPending, owe, type Lane } from './outbox.ts';

export interface MirroredIntent {
  environment: string;
  sha: string;
  ref: string;
}

export type MirroredCheckRun =
  | { kind: 'intent'; repositoryId: bigint; intent: MirroredIntent }
  /** Of a configuration that could not be taken. */
  | { kind: 'config'; repositoryId: bigint; sha: string };

/** Null when it is not one of ours in this repository. */
export async function findMirroredCheckRun(
  db: Db,
  repositoryId: number,
  externalId: string,
): Promise<MirroredCheckRun | null> {
  const row = await db.checkRun.findFirst({
    where: { externalId, repositoryId },
    include: { intent: { select: { sha: true, ref: true, environment: { select: { name: true } } } } },
  });
  if (row === null) return null;
  if (row.intent === null) return { kind: 'config', repositoryId: row.repositoryId, sha: row.sha };
  const { sha, ref, environment } = row.intent;
  return { kind: 'intent', repositoryId: row.repositoryId, intent: { sha, ref, environment: environment.name } };
}

/** The last intent of every environment that this commit was brought to. */
export async function intentsOfCommit(db: Db, repositoryId: number, sha: string): Promise<MirroredIntent[]> {
  const rows = await db.intent.findMany({
    where: { sha, environment: { project: { repositoryId } } },
    orderBy: { createdAt: 'desc' },
    distinct: ['environmentId'],
    select: { sha: true, ref: true, environment: { select: { name: true } } },
  });
  return rows.map(({ sha, ref, environment }) => ({ sha, ref, environment: environment.name }));
}

/** Owes GitHub the failed check run of a configuration that could not be taken. Gives the lane to flush after the commit. */
export async function reportBrokenConfig(
  db: Db,
  installationId: number,
  broken: BrokenConfig,
  now: Date,
): Promise<Lane | null> {
  const writes = brokenConfigWrites(broken, now);
  for (const write of writes) {
    if (write.kind !== 'createCheckRun') continue;
    const { name, external_id: externalId } = write.payload.body;
    await db.checkRun.createMany({
      data: [{ repositoryId: broken.repositoryId, sha: broken.sha, name, externalId }],
      skipDuplicates: true,
    });
  }
  const subject = `config:${broken.repositoryId}:${broken.sha}`;
  const owed = await owe(
    db,
    installationId,
    writes.map((write) => ({ ...write, subject })),
  );
  return owed === 0 ? null : newestPending(db, installationId);
}
