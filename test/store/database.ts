/** A database of its own for each test file, copied in some 30 ms. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database, type DatabaseOptions } from '../../prisma/client.ts';
import { useOpened } from '../suite.ts';

export interface TestDatabase {
  url: string;
  drop: () => Promise<void>;
}

/** With the schema of this checkout and no rows. */
export function createDatabase(): Promise<TestDatabase> {
  const template = new URL(inject('templateUrl')).pathname.slice(1);
  return create(`TEMPLATE "${template}"`);
}

export type OpenTestDatabase = Database & Pick<TestDatabase, 'url'>;

/** Open, with the schema of this checkout and no rows; it is dropped when it is closed. */
export async function openTestDatabase(options?: DatabaseOptions): Promise<OpenTestDatabase> {
  const { url, drop } = await createDatabase();
  const database = openDatabase(url, options);
  return {
    ...database,
    url,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** One for all tests of the file. */
export function useDatabase(): OpenTestDatabase {
  return useOpened(openTestDatabase);
}

/** With nothing in it. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return create('TEMPLATE template0');
}

async function create(origin: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(`CREATE DATABASE "${name}" ${origin}`);
  return {
    url: at(name),
    drop: () => administer(`DROP DATABASE "${name}" WITH (FORCE)`),
  };
}

/** Of a queue that is kept in this database. */
export async function emptyQueueTables(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name
       FROM pg_tables WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%'`,
  );
  for (const { name } of rows) await client.query(`DELETE FROM ${name}`);
  await client.end();
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client(at('postgres'));
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

function at(name: string): string {
  const url = new URL(inject('templateUrl'));
  url.pathname = `/${name}`;
  return url.toString();
}
