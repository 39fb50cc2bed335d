/** Opens the database: one pool, shared by Prisma and by statements written by hand. The only importer of the generated client. */
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from './client/client.ts';
import { isWriteConflict } from './conflict.ts';

export type * from './client/client.ts';
export { Prisma };

/** The client, or one transaction of it: what every function of prisma/store takes. */
export type Db = PrismaClient | Prisma.TransactionClient;

export interface Database {
  db: PrismaClient;
  /** For hot statements written by hand; the same connections as `db`. */
  pool: pg.Pool;
  close(): Promise<void>;
}

/** What this module says of its own accord; a pino logger fits. */
export interface DatabaseLog {
  warn(fields: object, message: string): void;
}

export interface DatabaseOptions {
  /** Connections at most; 10 by default. */
  poolSize?: number;
  /** Milliseconds until a query that waits for a connection fails; 10,000 by default. */
  connectTimeoutMs?: number;
  log?: DatabaseLog;
}

export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 30_000,
    application_name: 'landfall',
  });
  // An idle connection that the server closes is replaced at the next query; unheard, it would end the process.
  pool.on('error', (error) => options.log?.warn({ err: error }, 'an idle database connection was lost'));
  const db = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' });
  return {
    db,
    pool,
    async close() {
      await db.$disconnect();
      await pool.end();
    },
  };
}

export interface TransactionOptions {
  isolationLevel?: Prisma.TransactionIsolationLevel;
  /** Milliseconds that one attempt may take; 10,000 by default. */
  timeoutMs?: number;
  /** Attempts in all when PostgreSQL refuses for a conflict of writers; 5 by default. */
  attempts?: number;
}

/** Runs `fn` in one transaction, and anew when it conflicts with another writer: `fn` does nothing outside the database. */
export async function transaction<T>(
  database: Pick<Database, 'db'>,
  fn: (tx: Prisma.TransactionClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const attempts = options.attempts ?? 5;
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.db.$transaction(fn, {
        maxWait: 10_000,
        timeout: options.timeoutMs ?? 10_000,
        ...(options.isolationLevel ? { isolationLevel: options.isolationLevel } : {}),
      });
    } catch (error) {
      if (attempt >= attempts || !isWriteConflict(error)) throw error;
      await pause(attempt);
    }
  }
}

/** Reads of one moment: what belongs together is read by several statements. */
export function snapshot<T>(
  database: Pick<Database, 'db'>,
  read: (tx: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  return transaction(database, read, { isolationLevel: 'RepeatableRead' });
}

/** Apart at random, so that two writers that met once do not meet again. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** attempt));
}
