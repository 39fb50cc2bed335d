/** The database connections of the schema engine: opened for it, counted, and closed after it. */
import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';

export interface MigrationAdapters {
  factory: SqlMigrationAwareDriverAdapterFactory;
  close(): Promise<void>;
}

const charOid = 18;
const textOid = 25;

export function migrationAdapters(url: string): MigrationAdapters {
  const pools: pg.Pool[] = [];
  const shadows: string[] = [];

  async function connect(connectionString: string): Promise<SqlDriverAdapter> {
    const pool = new pg.Pool({ connectionString, max: 1 });
    pools.push(pool);
    const adapter = await new PrismaPg(pool).connect();
    // Prisma's own cuts a script at every semicolon, those within functions and texts too.
    adapter.executeScript = async (script) => {
      await pool.query(script);
    };
    keepInternalChars(pool, adapter);
    return adapter;
  }

  async function connectToShadowDb(): Promise<SqlDriverAdapter> {
    const name = `landfall_shadow_${randomUUID()}`;
    await runOnce(url, `CREATE DATABASE "${name}"`);
    shadows.push(name);
    return connect(inDatabase(url, name));
  }

  async function close(): Promise<void> {
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
    for (const name of shadows.splice(0)) await runOnce(url, `DROP DATABASE "${name}" WITH (FORCE)`);
  }

  return {
    factory: {
      provider: 'postgres',
      adapterName: '@prisma/adapter-pg',
      connect: () => connect(url),
      connectToShadowDb,
    },
    close,
  };
}

/** The same server and login, another database. */
export function inDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.toString();
}

async function runOnce(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

interface RowDescription {
  fields: { dataTypeID: number }[];
}

/** What pg keeps below its client, as far as it is used here. */
interface WithConnection {
  connection: { prependListener(event: 'rowDescription', listener: (message: RowDescription) => void): void };
}

/**
 * The adapter refuses "char", the type of one byte that the catalogue is written in, and the engine wants it as a character:
 * the adapter reads it as text, and the column is renamed after it. The pool has one connection, so answers keep their order.
 */
function keepInternalChars(pool: pg.Pool, adapter: SqlDriverAdapter): void {
  let columns: number[] = [];
  pool.on('connect', (client) => {
    (client as unknown as WithConnection).connection.prependListener('rowDescription', ({ fields }) => {
      columns = fields.flatMap((field, index) => (field.dataTypeID === charOid ? [index] : []));
      for (const index of columns) fields[index] = { ...fields[index], dataTypeID: textOid };
    });
  });
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const index of columns.splice(0)) result.columnTypes[index] = ColumnTypeEnum.Character;
    return result;
  };
}
