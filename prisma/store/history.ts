/**
 * Deletes history that nobody needs any more (core/retention): a batch of each kind, from what refers to what is referred to. A row that
 * something kept refers to is kept with it.
 */
import { keptMs, keptNewest } from '../../core/retention/policy.ts';
import type { Db } from '../client.ts';

/** Rows of one kind that are deleted at once at most. */
const batch = 200;

export interface History {
  what: string;
  /** Gives how many it deleted. */
  deleteSome: (db: Db, now: Date, limit?: number) => Promise<number>;
}

interface Rule {
  what: string;
  run: (db: Db, before: (age: number) => Date, limit: number) => Promise<number>;
}

const rules: readonly Rule[] = [
  {
    what: 'rollouts',
    run: (db, before, limit) => db.$executeRaw`
      WITH old AS (
        SELECT old.id FROM "Rollout" AS old
        WHERE old."finishedAt" < ${before(keptMs.history)}
          AND ${keptNewest} <= (SELECT count(*) FROM (
            SELECT 1 FROM "Rollout" AS newer
            WHERE newer."serviceId" = old."serviceId" AND newer.generation > old.generation LIMIT ${keptNewest}) AS found)
          AND NOT EXISTS (SELECT 1 FROM "Allocation" WHERE "rolloutId" = old.id AND "stoppedAt" IS NULL)
        ORDER BY old.id LIMIT ${limit}
      ), allocations AS (DELETE FROM "Allocation" WHERE "rolloutId" IN (SELECT id FROM old))
      DELETE FROM "Rollout" WHERE id IN (SELECT id FROM old)`,
  },
  {
    what: 'allocations whose rollout is gone',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "Allocation" WHERE id IN (
        SELECT id FROM "Allocation" WHERE "rolloutId" IS NULL AND "stoppedAt" < ${before(keptMs.history)} LIMIT ${limit})`,
  },
  {
    what: 'releases',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "Release" WHERE id IN (
        SELECT old.id FROM "Release" AS old
        WHERE old."createdAt" < ${before(keptMs.history)}
          AND ${keptNewest} <= (SELECT count(*) FROM (
            SELECT 1 FROM "Release" AS newer
            WHERE newer."serviceId" = old."serviceId" AND newer.number > old.number LIMIT ${keptNewest}) AS found)
          AND NOT EXISTS (SELECT 1 FROM "Service" WHERE "servingReleaseId" = old.id)
          AND NOT EXISTS (
            SELECT 1 FROM "Rollout" WHERE "serviceId" = old."serviceId" AND old.id IN ("releaseId", "previousReleaseId"))
          AND NOT EXISTS (SELECT 1 FROM "Allocation" WHERE "serviceId" = old."serviceId" AND "releaseId" = old.id)
        ORDER BY old.id LIMIT ${limit})`,
  },
  {
    what: 'intents',
    run: (db, before, limit) => db.$executeRaw`
      WITH old AS (
        SELECT old.id FROM "Intent" AS old
        WHERE old.status <> 'active' AND old."createdAt" < ${before(keptMs.history)}
          AND ${keptNewest} <= (SELECT count(*) FROM (
            SELECT 1 FROM "Intent" AS newer
            WHERE newer."environmentId" = old."environmentId" AND newer.id > old.id LIMIT ${keptNewest}) AS found)
          AND NOT EXISTS (SELECT 1 FROM "Rollout" WHERE "intentId" = old.id)
          AND NOT EXISTS (SELECT 1 FROM "GithubDeployment" WHERE "intentId" = old.id AND state = 'success')
          AND NOT EXISTS (SELECT 1 FROM "OutboxWrite" WHERE subject = 'intent:' || old.id AND status = 'pending')
        ORDER BY old.id LIMIT ${limit}
      ), mirrors AS (DELETE FROM "GithubDeployment" WHERE "intentId" IN (SELECT id FROM old)),
      checks AS (DELETE FROM "CheckRun" WHERE "intentId" IN (SELECT id FROM old))
      DELETE FROM "Intent" WHERE id IN (SELECT id FROM old)`,
  },
  {
    what: 'check runs of broken files',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "CheckRun" WHERE id IN (
        SELECT id FROM "CheckRun" WHERE "intentId" IS NULL AND "createdAt" < ${before(keptMs.history)} LIMIT ${limit})`,
  },
  {
    what: 'builds',
    run: (db, before, limit) => db.$executeRaw`
      WITH old AS (
        SELECT old.id FROM "Build" AS old
        WHERE old."finishedAt" < ${before(keptMs.history)}
          AND ${keptNewest} <= (SELECT count(*) FROM (
            SELECT 1 FROM "Build" AS newer
            WHERE newer."projectId" = old."projectId" AND newer.service = old.service AND newer.id > old.id
            LIMIT ${keptNewest}) AS found)
          AND NOT EXISTS (SELECT 1 FROM "IntentBuild" WHERE "buildId" = old.id)
          AND NOT EXISTS (SELECT 1 FROM "Release" WHERE "buildId" = old.id)
          AND NOT EXISTS (SELECT 1 FROM "WorkItem" WHERE "buildId" = old.id AND status IN ('offered', 'claimed'))
        ORDER BY old.id LIMIT ${limit}
      ), attempts AS (DELETE FROM "WorkItem" WHERE "buildId" IN (SELECT id FROM old))
      DELETE FROM "Build" WHERE id IN (SELECT id FROM old)`,
  },
  {
    what: 'work that was no build',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "WorkItem" WHERE id IN (
        SELECT id FROM "WorkItem"
        WHERE "buildId" IS NULL AND status NOT IN ('offered', 'claimed') AND "createdAt" < ${before(keptMs.history)} LIMIT ${limit})`,
  },
  {
    // What the bot itself saw last of a ref stays, however old, until it saw the ref deleted. The newest go by arrival, as the ledger is read.
    what: 'heads',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "Head" WHERE id IN (
        SELECT old.id FROM "Head" AS old
        WHERE old."arrivedAt" < ${before(keptMs.history)}
          AND CASE
            WHEN ${before(keptMs.history)} <= (
              SELECT last."arrivedAt" FROM "Head" AS last
              WHERE last."repositoryId" = old."repositoryId" AND last.ref = old.ref ORDER BY last.id DESC LIMIT 1)
            THEN ${keptNewest} <= (SELECT count(*) FROM (
              SELECT 1 FROM "Head" AS newer
              WHERE newer."repositoryId" = old."repositoryId" AND newer.ref = old.ref AND newer.id > old.id LIMIT ${keptNewest}) AS found)
            ELSE EXISTS (
              SELECT 1 FROM "Head" AS newer
              WHERE newer."repositoryId" = old."repositoryId" AND newer.ref = old.ref
                AND (newer."arrivedAt", newer.id) > (old."arrivedAt", old.id))
            OR old.sha ~ '^0+$' AND NOT EXISTS (
              SELECT 1 FROM "Head" AS other
              WHERE other."repositoryId" = old."repositoryId" AND other.ref = old.ref AND other.id <> old.id)
          END
        ORDER BY old.id LIMIT ${limit})`,
  },
  {
    what: 'audit events',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "AuditEvent" WHERE id IN (
        SELECT id FROM "AuditEvent" WHERE at < ${before(keptMs.auditEvents)} ORDER BY id LIMIT ${limit})`,
  },
  {
    what: 'registration tokens',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "RegistrationToken" WHERE id IN (
        SELECT id FROM "RegistrationToken" WHERE "expiresAt" < ${before(keptMs.registrationTokens)} LIMIT ${limit})`,
  },
  {
    what: 'removed nodes',
    run: (db, before, limit) => db.$executeRaw`
      DELETE FROM "Node" WHERE id IN (
        SELECT old.id FROM "Node" AS old
        WHERE old."removedAt" < ${before(keptMs.history)}
          AND NOT EXISTS (SELECT 1 FROM "Allocation" WHERE "nodeId" = old.id)
          AND NOT EXISTS (SELECT 1 FROM "WorkItem" WHERE "nodeId" = old.id)
        LIMIT ${limit})`,
  },
];

/** Every kind, in the order in which they are to be deleted. */
export const histories: readonly History[] = rules.map(({ what, run }) => ({
  what,
  deleteSome: (db, now, limit = batch) => run(db, (age) => new Date(now.getTime() - age), limit),
}));
