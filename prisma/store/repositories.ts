/** Repositories, by GitHub's number: a rename or a transfer changes columns, never the row (P47). */
import type { Db, Prisma } from '../client.ts';
import { safeNumber } from './safe-number.ts';

export interface RepositoryFacts {
  id: number;
  installationId: number;
  owner: string;
  name: string;
  private: boolean;
  /** null: not said, as in the list of an installation. */
  defaultBranch: string | null;
}

export interface RepositoryState {
  id: number;
  owner: string;
  name: string;
  private: boolean;
  defaultBranch: string;
  removed: boolean;
  installation: { id: number; suspended: boolean; removed: boolean };
  /** Of the last write of what GitHub says: who asks GitHub writes the answer only while this is still the same. */
  factsAt: Date | null;
}

const include = { installation: true } as const satisfies Prisma.RepositoryInclude;

type RepositoryRow = Prisma.RepositoryGetPayload<{ include: typeof include }>;

export async function findRepository(db: Db, id: number): Promise<RepositoryState | null> {
  const row = await db.repository.findUnique({ where: { id }, include });
  return row === null ? null : stateOf(row);
}

/** Those of these ids that are known. */
export async function findRepositories(db: Db, ids: readonly number[]): Promise<RepositoryState[]> {
  const rows = await db.repository.findMany({ where: { id: { in: [...ids] } }, include, orderBy: { id: 'asc' } });
  return rows.map(stateOf);
}

function stateOf(row: RepositoryRow): RepositoryState {
  const { owner, name, defaultBranch, factsAt, installation } = row;
  return {
    ...{ owner, name, defaultBranch, factsAt, private: row.private },
    id: safeNumber(row.id),
    removed: row.removedAt !== null,
    installation: {
      id: safeNumber(installation.id),
      suspended: installation.suspendedAt !== null,
      removed: installation.deletedAt !== null,
    },
  };
}

/** Until GitHub says what it is. */
const usualDefaultBranch = 'main';

/**
 * Writes down those that nothing is known of yet, of installations that are known. Of a removed installation they are removed too:
 * its row is held meanwhile, so that its removal finds them.
 */
export async function insertRepositories(
  db: Db,
  repositories: readonly RepositoryFacts[],
  { removedAt = null }: { removedAt?: Date | null } = {},
): Promise<void> {
  if (repositories.length === 0) return;
  await db.$executeRaw`
    INSERT INTO "Repository" (id, "installationId", owner, name, private, "defaultBranch", "removedAt", "updatedAt")
    SELECT told.id, told."installationId", told.owner, told.name, told.private,
           coalesce(told."defaultBranch", ${usualDefaultBranch}),
           coalesce(${removedAt}::timestamptz, installation."deletedAt"), now()
    FROM jsonb_to_recordset(${JSON.stringify(repositories)}::jsonb)
           AS told(id bigint, "installationId" bigint, owner text, name text, private boolean, "defaultBranch" text)
      JOIN "Installation" AS installation ON installation.id = told."installationId"
    FOR SHARE OF installation
    ON CONFLICT (id) DO NOTHING`;
}

export type RepositoryAnswer = {
  /** Before GitHub answered. */
  askedAt: Date;
} & ({ included: true; facts: RepositoryFacts } | { included: false });

/** Writes down what GitHub answered. False when somebody wrote since `known` was read: then it is to be asked again. */
export async function replaceRepository(db: Db, known: RepositoryState, answer: RepositoryAnswer): Promise<boolean> {
  const { count } = await db.repository.updateMany({
    where: { id: known.id, factsAt: known.factsAt, removedAt: known.removed ? { not: null } : null },
    data: {
      factsAt: answer.askedAt,
      ...(answer.included ? includedColumns(answer.facts) : removedColumns(known, answer)),
    },
  });
  return count === 1;
}

function includedColumns({ installationId, owner, name, defaultBranch, ...facts }: RepositoryFacts) {
  return {
    ...{ installationId, owner, name, private: facts.private, removedAt: null },
    ...(defaultBranch === null ? {} : { defaultBranch }),
  };
}

/** Since when it is removed stays as it was. */
function removedColumns({ removed }: RepositoryState, { askedAt }: RepositoryAnswer) {
  return removed ? {} : { removedAt: askedAt };
}

export interface WhichRepositories {
  /** Left out: all. */
  ids?: number[];
  /** Left out: whichever includes them. */
  installationId?: number;
}

/** Deleted at GitHub, or gone with their installation. Gives the builds that are to be looked at again for it. */
export async function removeRepositories(db: Db, which: WhichRepositories, at: Date): Promise<BuildWake[]> {
  const { ids: only, installationId } = which;
  const where = {
    ...(only === undefined ? {} : { id: { in: only } }),
    ...(installationId === undefined ? {} : { installationId }),
  };
  const rows = await db.repository.findMany({ where: { ...where, removedAt: null }, select: { id: true } });
  const ids = rows.map(({ id }) => safeNumber(id));
  await db.repository.updateMany({ where: { id: { in: ids } }, data: { removedAt: at } });
  // What GitHub answers to a question from before this must not bring one back.
  await db.repository.updateMany({ where, data: { factsAt: at } });
  return unfinishedBuildsOf(db, ids);
}

export interface BuildWake {
  id: string;
  version: number;
}

export async function unfinishedBuildsOf(db: Db, repositoryIds: readonly number[]): Promise<BuildWake[]> {
  return db.build.findMany({
    where: {
      project: { repositoryId: { in: [...repositoryIds] } },
      status: { in: ['queued', 'offered', 'building'] },
    },
    select: { id: true, version: true },
  });
}

/** Takes the repository's row, so that pushes of one repository are decided one after the other. */
export async function lockRepository(db: Db, id: number): Promise<void> {
  await db.$executeRaw`SELECT 1 FROM "Repository" WHERE id = ${BigInt(id)} FOR NO KEY UPDATE`;
}
