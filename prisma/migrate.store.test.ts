import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, createEmptyDatabase, type TestDatabase } from '../test/store/database.ts';
import { missingStatements } from './dev/schema.ts';
import { migrationsDir, readMigrations } from './migrate/files.ts';
import { migrate, migrationLock } from './migrate.ts';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createEmptyDatabase();
  folder = await mkdtemp(join(tmpdir(), 'landfall-migrations-'));
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, sql: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, 'migration.sql'), sql);
}

async function ask(sql: string): Promise<unknown[]> {
  const client = new pg.Client(database.url);
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
  return rows;
}

describe('migrate', () => {
  it('brings four processes that start at once to one schema, each migration applied once', async () => {
    const names = (await readMigrations(migrationsDir)).map(({ name }) => name);
    const runs = await Promise.all(
      [1, 2, 3, 4].map(() =>
        promisify(execFile)(process.execPath, ['--import', 'tsx', 'test/store/run-migrate.ts', database.url]),
      ),
    );
    const applied = runs.map(({ stdout }) => JSON.parse(stdout) as string[]);
    expect(applied.flat().sort()).toEqual(names);
    expect(applied.filter((list) => list.length > 0)).toHaveLength(1);
    expect(await ask('SELECT count(*)::int AS n FROM _prisma_migrations')).toEqual([{ n: names.length }]);
  });

  it('waits for a process that is in the middle of a migration, and does not take it for a failed one', async () => {
    await write('001_a', 'CREATE TABLE a (id int)');
    await migrate(database.url, folder);
    const other = new pg.Client(database.url);
    await other.connect();
    await other.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await other.query('UPDATE _prisma_migrations SET finished_at = NULL');
    const migrating = migrate(database.url, folder);
    const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    while ((await other.query(waiting)).rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await other.query('UPDATE _prisma_migrations SET finished_at = now()');
    await other.end();
    expect(await migrating).toEqual([]);
  });

  it('has nothing to do the second time', async () => {
    await migrate(database.url);
    expect(await migrate(database.url)).toEqual([]);
  });

  it('applies what a newer release adds, and leaves alone what it does not know', async () => {
    await write('001_a', 'CREATE TABLE a (id int)');
    expect(await migrate(database.url, folder)).toEqual(['001_a']);
    await write('002_b', 'CREATE TABLE b (id int)');
    expect(await migrate(database.url, folder)).toEqual(['002_b']);
    await rm(join(folder, '002_b'), { recursive: true });
    expect(await migrate(database.url, folder)).toEqual([]);
  });

  it('runs functions and texts with semicolons in them', async () => {
    await write('001_f', `CREATE FUNCTION f() RETURNS text AS $$ BEGIN RETURN 'a;b'; END; $$ LANGUAGE plpgsql;`);
    await migrate(database.url, folder);
    expect(await ask('SELECT f()')).toEqual([{ f: 'a;b' }]);
  });

  it('leaves the database as it was before a migration that fails, and says so at every start until it is repaired', async () => {
    await write('001_half', 'CREATE TABLE half (id int); SELECT 1 / 0;');
    await expect(migrate(database.url, folder)).rejects.toMatchObject({ code: 'migration_failed' });
    expect(await ask(`SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
    await expect(migrate(database.url, folder)).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('001_half'),
    });
  });

  it('refuses a migration that was edited after it was applied', async () => {
    await write('001_a', 'CREATE TABLE a (id int)');
    await migrate(database.url, folder);
    await write('001_a', 'CREATE TABLE a (id bigint)');
    await expect(migrate(database.url, folder)).rejects.toMatchObject({ code: 'migration_edited' });
  });
});

describe('the migrations', () => {
  it('make the schema', async () => {
    expect(await missingStatements(database.url)).toBeNull();
  });

  it('are in the database that tests get', async () => {
    const copy = await createDatabase();
    expect(await migrate(copy.url)).toEqual([]);
    await copy.drop();
  });
});
