/** Repositories, by GitHub's number: a rename or a transfer changes columns, never the row (P47). */
import type { Db } from '../client.ts';
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
  defaultBranch: string;
  removed: boolean;
  installation: { id: number; suspended: boolean; removed: boolean };
}

/** Until GitHub says what it is. */
const usualDefaultBranch = 'main';

/** Writes down what GitHub says of a repository, and that the installation includes it. */
export async function upsertRepository(db: Db, facts: RepositoryFacts): Promise<void> {
  await writeRepository(db, facts, { removedAt: null });
}

/**
 * The same for events that may be late: a repository that was removed stays removed. Unless another installation speaks of it:
 * it was transferred there.
 */
export async function refreshRepository(db: Db, facts: RepositoryFacts): Promise<void> {
  const known = await db.repository.findUnique({ where: { id: facts.id }, select: { installationId: true } });
  const isTransferred = known !== null && known.installationId !== BigInt(facts.installationId);
  await writeRepository(db, facts, isTransferred ? { removedAt: null } : {});
}

async function writeRepository(db: Db, facts: RepositoryFacts, also: { removedAt?: null }): Promise<void> {
  const { id, defaultBranch, ...said } = facts;
  const data = { ...said, ...(defaultBranch === null ? {} : { defaultBranch }) };
  await db.repository.upsert({
    where: { id },
    create: { id, ...data, defaultBranch: defaultBranch ?? usualDefaultBranch },
    update: { ...data, ...also },
  });
}

export interface WhichRepositories {
  /** Left out: all. */
  ids?: number[];
  /** Left out: whichever includes them. */
  installationId?: number;
}

/** Deleted at GitHub, or taken out of the installation. Gives the builds that are to be looked at again for it. */
export async function removeRepositories(db: Db, which: WhichRepositories, at: Date): Promise<BuildWake[]> {
  const { ids: only, installationId } = which;
  const where = {
    removedAt: null,
    ...(only === undefined ? {} : { id: { in: only } }),
    ...(installationId === undefined ? {} : { installationId }),
  };
  const rows = await db.repository.findMany({ where, select: { id: true } });
  const ids = rows.map(({ id }) => id);
  await db.repository.updateMany({ where: { id: { in: ids } }, data: { removedAt: at } });
  return db.build.findMany({
    where: { project: { repositoryId: { in: ids } }, status: { in: ['queued', 'offered', 'building'] } },
    select: { id: true, version: true },
  });
}

export interface BuildWake {
  id: string;
  version: number;
}

export async function findRepository(db: Db, id: number): Promise<RepositoryState | null> {
  const row = await db.repository.findUnique({ where: { id }, include: { installation: true } });
  if (row === null) return null;
  return {
    id: safeNumber(row.id),
    owner: row.owner,
    name: row.name,
    defaultBranch: row.defaultBranch,
    removed: row.removedAt !== null,
    installation: {
      id: safeNumber(row.installation.id),
      suspended: row.installation.suspendedAt !== null,
      removed: row.installation.deletedAt !== null,
    },
  };
}

/** Takes the repository's row, so that pushes of one repository are decided one after the other. */
export async function lockRepository(db: Db, id: number): Promise<void> {
  await db.$executeRaw`SELECT 1 FROM "Repository" WHERE id = ${BigInt(id)} FOR NO KEY UPDATE`;
}
