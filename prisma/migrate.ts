/** Brings a database to the schema of this release. Safe when several processes start at once: one migrates, the rest wait. */
import pg from 'pg';
import { messageOf } from '../platform/errors/classify.ts';
import { StalledError } from '../platform/errors/errors.ts';
import { sqlState } from './conflict.ts';
import { migrationAdapters } from './migrate/adapters.ts';
import { migrationList, noFilters, withSchemaEngine } from './migrate/engine.ts';
import { migrationsDir, readMigrations, type Migration } from './migrate/files.ts';

/** The advisory lock of whoever migrates: any number that nobody else locks in our database. */
export const migrationLock = 7_163_401;

/** As Prisma records it in `_prisma_migrations`. */
interface Applied {
  migration_name: string;
  checksum: string;
  finished: boolean;
}

/** Applies what is missing, and returns its names. @throws StalledError when a person has to look at the database. */
export async function migrate(url: string, directory: string = migrationsDir): Promise<string[]> {
  const migrations = await readMigrations(directory);
  const client = new pg.Client({ connectionString: url, application_name: 'landfall migrate' });
  await connect(client, url);
  try {
    // The common start: nothing to do, and no engine to load.
    if (isCurrent(migrations, await readApplied(client))) return [];
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    const applied = await readApplied(client);
    refuseDamaged(migrations, applied);
    return isCurrent(migrations, applied) ? [] : await apply(url, directory, migrations);
  } finally {
    await client.end();
  }
}

async function connect(client: pg.Client, url: string): Promise<void> {
  try {
    await client.connect();
  } catch (cause) {
    const message = `PostgreSQL at ${new URL(url).host} cannot be reached: ${messageOf(cause)}`;
    throw new StalledError('database_unreachable', message, {
      hint: 'DATABASE_URL says where it is, and under whose name. See that it runs and takes connections.',
      cause,
    });
  }
}

/** Whether every migration of this release is in the database. More may be: a newer release added them. */
function isCurrent(migrations: readonly Migration[], applied: readonly Applied[]): boolean {
  const finished = new Map(applied.filter((row) => row.finished).map((row) => [row.migration_name, row.checksum]));
  return migrations.every(({ name, checksum }) => finished.get(name) === checksum);
}

/** Only to be asked under the lock: without it, what looks unfinished may be what another process is applying. */
function refuseDamaged(migrations: readonly Migration[], applied: readonly Applied[]): void {
  const byName = new Map(applied.map((row) => [row.migration_name, row]));
  for (const { name, checksum } of migrations) {
    const row = byName.get(name);
    if (row?.finished === false) throw failedBefore(name);
    if (row !== undefined && row.checksum !== checksum) throw edited(name);
  }
}

async function readApplied(client: pg.Client): Promise<Applied[]> {
  try {
    const { rows } = await client.query<Applied>(
      `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
         FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
    );
    return rows;
  } catch (error) {
    const undefinedTable = '42P01';
    if (sqlState(error) === undefinedTable) return [];
    throw error;
  }
}

async function apply(url: string, directory: string, migrations: readonly Migration[]): Promise<string[]> {
  const adapters = migrationAdapters(url);
  const input = { migrationsList: migrationList(directory, migrations), filters: noFilters };
  try {
    const output = await withSchemaEngine(adapters, undefined, (engine) => engine.applyMigrations(input));
    return output.appliedMigrationNames;
  } catch (cause) {
    throw new StalledError('migration_failed', `A migration of the database failed: ${messageOf(cause)}`, {
      hint: 'The database is as it was before that migration. Start the previous release, and report this.',
      cause,
    });
  }
}

function failedBefore(name: string): StalledError {
  return new StalledError('migration_failed', `The migration ${name} failed at an earlier start.`, {
    hint: `When its cause is repaired: DELETE FROM _prisma_migrations WHERE migration_name = '${name}', and start again.`,
  });
}

function edited(name: string): StalledError {
  return new StalledError('migration_edited', `The migration ${name} is not the one that this database has applied.`, {
    hint: 'Migrations are never edited. Start the release that this database belongs to.',
  });
}
