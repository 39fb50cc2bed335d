/**
 * The one order in which a transaction takes rows and advisory locks that others wait for. Two that keep to it never wait for each other:
 *
 * 1. `Repository`, then `Project`: whoever accepts an intent
 * 2. the secrets of an environment (`lockSecrets`)
 * 3. `Intent` (`lockIntentRow`)
 * 4. `Service` (`lockServices`)
 * 5. room on nodes (`lockPlacement`), then subnets (`lockSubnets`), then offers of builds (`lockBuildNodes`)
 * 6. `Build` (`lockBuild`), then `WorkItem`
 * 7. `Node` (`bumpNodes`): whoever changes allocations of a node holds its row
 * 8. `Allocation`, then `Rollout`
 * 9. what GitHub is owed: `CheckRun`, `GithubDeployment`, `OutboxWrite`
 *
 * Several rows of one kind are taken by id. A step may leave out locks, and never goes back to an earlier one. What cannot know
 * beforehand what it will need of an earlier kind is two transactions, and the sweep finds what lies between them.
 */
import type { Db, Intent } from '../client.ts';

const placementLock = 0x91ace;
const subnetLock = 0x5b7e;

/** Until the transaction ends, no other sets, removes or pins secrets of the environment: a release misses no value set before it. */
export async function lockSecrets(db: Db, environmentId: string): Promise<void> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`secrets of ${environmentId}`}, 0))`;
}

/** The same for the environment of an intent. */
export async function lockSecretsOfIntent(db: Db, intentId: string): Promise<void> {
  await db.$executeRaw`
    SELECT pg_advisory_xact_lock(hashtextextended('secrets of ' || "environmentId", 0)) FROM "Intent"
    WHERE id = ${intentId}::uuid`;
}

/** Null when it is gone. What hangs on it is read after it is held, so that of two that end at once the second sees the first. */
export async function lockIntentRow(db: Db, intentId: string): Promise<Intent | null> {
  const [intent] = await db.$queryRaw<Intent[]>`SELECT * FROM "Intent" WHERE id = ${intentId}::uuid FOR NO KEY UPDATE`;
  return intent ?? null;
}

/** Of the environment: none of them can end before this transaction does. Gives their ids. */
export async function lockActiveIntents(db: Db, environmentId: string): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM "Intent" WHERE "environmentId" = ${environmentId}::uuid AND status = 'active' ORDER BY id FOR NO KEY UPDATE`;
  return rows.map(({ id }) => id);
}

/** Those of these that are there. */
export async function lockServices(db: Db, serviceIds: readonly string[]): Promise<void> {
  await db.$executeRaw`SELECT 1 FROM "Service" WHERE id = ANY(${serviceIds}::uuid[]) ORDER BY id FOR NO KEY UPDATE`;
}

/** Held to the end of the transaction: two rollouts never count the same room, or take the same address. */
export async function lockPlacement(db: Db): Promise<void> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${placementLock}::bigint)`;
}

/** While nodes get or give back their subnet numbers and names. */
export async function lockSubnets(db: Db): Promise<void> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${subnetLock}::int, 0)`;
}

/** What is done to its work follows. */
export async function lockBuild(db: Db, buildId: string): Promise<void> {
  await db.$executeRaw`SELECT 1 FROM "Build" WHERE id = ${buildId}::uuid FOR NO KEY UPDATE`;
}

/** The build that this is an attempt of. */
export async function lockBuildOfWork(db: Db, workItemId: string): Promise<void> {
  await db.$executeRaw`
    SELECT 1 FROM "WorkItem" JOIN "Build" ON "Build".id = "WorkItem"."buildId" WHERE "WorkItem".id = ${workItemId}::uuid
    FOR NO KEY UPDATE OF "Build"`;
}
