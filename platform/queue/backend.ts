/** The two places a queue can live in, PostgreSQL and Redis, behind what BullMQ needs to open one. */
import {
  createPostgresBackend,
  quoteSchemaName,
  runMigrations,
  Queue,
  Worker,
  type JobsOptions,
  type PgPool,
  type Processor,
  type WorkerOptions,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { messageOf } from '../errors/classify.ts';
import { InputError, StalledError } from '../errors/errors.ts';

/** BullMQ's name for the schema of its tables when it is handed a pool. */
const schema = 'bullmq';
const redisPrefix = 'landfall';

export interface OpenQueue {
  add(name: string, payload: unknown, options: JobsOptions): Promise<unknown>;
  close(): Promise<void>;
}

export interface OpenWorker {
  close(): Promise<void>;
}

export interface QueueBackend {
  openQueue(name: string): OpenQueue;
  openWorker(name: string, run: Processor, options: Omit<WorkerOptions, 'connection' | 'prefix'>): OpenWorker;
  /** Rejects when the place cannot be reached. */
  ping(): Promise<void>;
  /** After every queue and worker is closed. */
  close(): Promise<void>;
}

export interface BackendOptions {
  /** Hears of connections that were lost; they are opened again. */
  onError: (error: Error) => void;
  /** Connections to PostgreSQL at most. */
  poolSize: number;
}

export async function openBackend(url: string, options: BackendOptions): Promise<QueueBackend> {
  const { protocol } = new URL(url);
  switch (protocol) {
    case 'postgres:':
    case 'postgresql:':
      return openPostgres(url, options);
    case 'redis:':
    case 'rediss:':
      return openRedis(url, options);
    default:
      throw new InputError('queue_url_invalid', `A queue cannot live at ${protocol}//…; use postgres:// or redis://.`, {
        path: 'QUEUE_URL',
      });
  }
}

/** One pool for all queues; each worker takes one of its connections to listen on. */
async function openPostgres(url: string, { onError, poolSize }: BackendOptions): Promise<QueueBackend> {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    application_name: 'landfall queue',
    options: `-c search_path=${quoteSchemaName(schema)}`,
  });
  pool.on('error', onError);
  // BullMQ describes a pool by the few methods that it calls, with arguments narrower than pg's own.
  const connection = pool as unknown as PgPool;
  const client = await pool.connect().catch(async (cause: unknown) => {
    await pool.end();
    throw unreachable('PostgreSQL', url, cause);
  });
  await runMigrations(client, schema).finally(() => client.release());
  return {
    openQueue: (name) => new Queue(name, { connection }, createPostgresBackend).on('error', onError),
    openWorker: (name, run, worker) =>
      new Worker(name, run, { ...worker, connection }, createPostgresBackend).on('error', onError),
    async ping() {
      await pool.query('SELECT 1');
    },
    close: () => pool.end(),
  };
}

async function openRedis(url: string, { onError }: BackendOptions): Promise<QueueBackend> {
  // Who adds a job hears of it when Redis is away; who works waits for its return.
  const producer = new Redis(url, { maxRetriesPerRequest: 1, commandTimeout: 5_000, lazyConnect: true });
  const consumer = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true });
  // The rejection says only that the connection is closed.
  let why: unknown = null;
  const first = (error: Error): void => void (why ??= error);
  for (const connection of [producer, consumer]) connection.on('error', first);
  try {
    await Promise.all([producer.connect(), consumer.connect()]);
  } catch (cause) {
    producer.disconnect();
    consumer.disconnect();
    throw unreachable('Redis', url, why ?? cause);
  }
  for (const connection of [producer, consumer]) connection.off('error', first).on('error', onError);
  return {
    openQueue: (name) => new Queue(name, { connection: producer, prefix: redisPrefix }).on('error', onError),
    openWorker: (name, run, worker) =>
      new Worker(name, run, { ...worker, connection: consumer, prefix: redisPrefix }).on('error', onError),
    async ping() {
      await producer.ping();
    },
    async close() {
      await Promise.all([producer.quit(), consumer.quit()]);
    },
  };
}

/** Without what a URL may hold of passwords. */
function unreachable(what: string, url: string, cause: unknown): StalledError {
  const { host } = new URL(url);
  return new StalledError('queue_unreachable', `The queue cannot be reached: ${what} at ${host}: ${messageOf(cause)}`, {
    hint: 'QUEUE_URL says where it is; without it the database carries the queue. See that it runs and takes connections.',
    cause,
  });
}
