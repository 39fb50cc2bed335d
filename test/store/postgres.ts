/** Starts PostgreSQL once for all store tests, in a folder that is thrown away, with a migrated database to copy from. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../prisma/embedded.ts';
import { migrate } from '../../prisma/migrate.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of a database with the schema of this checkout and no rows; nobody connects to it. */
    templateUrl: string;
  }
}

/** The tests' data are worth nothing after them. */
const careless = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-store-'));
  const password = randomBytes(16).toString('hex');
  const dataDir = join(folder, 'database');
  const server = await startEmbeddedPostgres({ dataDir, port: 0, password, settings: careless });
  await migrate(server.url);
  project.provide('templateUrl', server.url);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
