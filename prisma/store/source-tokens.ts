/** The token of one build attempt: what it is minted for, and where it is put, sealed to the node that claimed it. */
import type { Db } from '../client.ts';
import { safeNumber } from './safe-number.ts';

export interface SourceTokenRequest {
  installationId: number;
  repositoryId: number;
  /** X25519, raw, base64url. */
  sealingKey: string;
}

/** Null when the work is no longer claimed under this attempt, or has its token. */
export async function loadSourceTokenRequest(
  db: Db,
  claim: { workItemId: string; attempt: number },
): Promise<SourceTokenRequest | null> {
  const row = await db.workItem.findFirst({
    where: { id: claim.workItemId, attempt: claim.attempt, status: 'claimed', credentialSealed: null },
    include: { node: true, build: { include: { project: { include: { repository: true } } } } },
  });
  if (row?.build == null) return null;
  const { repository } = row.build.project;
  return {
    installationId: safeNumber(repository.installationId),
    repositoryId: safeNumber(repository.id),
    sealingKey: row.node.sealingKey,
  };
}

/** Puts the sealed token where the claim waits for it, and wakes it. */
export async function storeSourceToken(
  db: Db,
  claim: { workItemId: string; attempt: number },
  sealed: string,
): Promise<void> {
  await db.workItem.updateMany({
    where: { id: claim.workItemId, attempt: claim.attempt, status: 'claimed' },
    data: { credentialSealed: sealed },
  });
  await db.$executeRaw`SELECT pg_notify('landfall', ${`work:${claim.workItemId}`})`;
}
