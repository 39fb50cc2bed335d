/** The token of one build attempt: what it is minted for, and where it is put, sealed to the node that claimed it. */
import type { Db } from '../client.ts';
import { safeNumber } from './safe-number.ts';

/** One attempt of one piece of work. */
export interface Claim {
  workItemId: string;
  attempt: number;
}

export interface SourceTokenRequest {
  buildId: string;
  installationId: number;
  repositoryId: number;
  /** X25519, raw, base64url. */
  sealingKey: string;
}

/** Null when the work is no longer claimed under this attempt, or has its token. */
export async function loadSourceTokenRequest(db: Db, claim: Claim): Promise<SourceTokenRequest | null> {
  const [row] = await db.$queryRaw<
    { buildId: string; installationId: bigint; repositoryId: bigint; sealingKey: string }[]
  >`
    SELECT build.id AS "buildId", repository."installationId", repository.id AS "repositoryId", node."sealingKey"
    FROM "WorkItem" AS work
      JOIN "Node" AS node ON node.id = work."nodeId"
      JOIN "Build" AS build ON build.id = work."buildId"
      JOIN "Project" AS project ON project.id = build."projectId"
      JOIN "Repository" AS repository ON repository.id = project."repositoryId"
    WHERE work.id = ${claim.workItemId}::uuid AND work.attempt = ${claim.attempt}
      AND work.status = 'claimed' AND work."cancelCode" IS NULL AND work."credentialSealed" IS NULL`;
  if (row === undefined) return null;
  return { ...row, installationId: safeNumber(row.installationId), repositoryId: safeNumber(row.repositoryId) };
}

/** Puts the sealed token where the claim waits for it, and wakes it. */
export async function storeSourceToken(db: Db, claim: Claim, sealed: string): Promise<void> {
  await db.workItem.updateMany({
    where: { id: claim.workItemId, attempt: claim.attempt, status: 'claimed' },
    data: { credentialSealed: sealed },
  });
  await wakeClaim(db, claim);
}

/** Whoever waits for the token reads again. */
export async function wakeClaim(db: Db, { workItemId }: Claim): Promise<void> {
  await db.$executeRaw`SELECT pg_notify('landfall', ${`work:${workItemId}`})`;
}

/** Claims under a lease that wait for their token: what the sweep asks for again. */
export async function claimsWithoutToken(db: Db, now: Date): Promise<Claim[]> {
  const rows = await db.workItem.findMany({
    where: { kind: 'build', status: 'claimed', credentialSealed: null, cancelCode: null, leaseUntil: { gt: now } },
    select: { id: true, attempt: true },
  });
  return rows.map(({ id, attempt }) => ({ workItemId: id, attempt }));
}
