/** A database of its own for each test file, copied in some 30 ms. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  url: string;
  drop: () => Promise<void>;
}

/** With the schema of this checkout and no rows. */
export function createDatabase(): Promise<TestDatabase> {
  const template = new URL(inject('templateUrl')).pathname.slice(1);
  return create(`TEMPLATE "${template}"`);
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
