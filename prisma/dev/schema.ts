/** The schema and the migrations, compared on a PostgreSQL that lives as long as the comparison. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DiffTarget } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { startEmbeddedPostgres } from '../embedded.ts';
import { migrationAdapters } from '../migrate/adapters.ts';
import { migrationList, noFilters, withSchemaEngine } from '../migrate/engine.ts';
import { migrationsDir, readMigrations } from '../migrate/files.ts';

const schemaFile = fileURLToPath(new URL('../schema.prisma', import.meta.url));

/** The statements that bring a migrated database to the schema; null when it is there already. */
export async function missingStatements(url: string, directory: string = migrationsDir): Promise<string | null> {
  const migrations = await readMigrations(directory);
  const content = await readFile(schemaFile, 'utf8');
  const from: DiffTarget =
    migrations.length === 0 ? { tag: 'empty' } : { tag: 'migrations', ...migrationList(directory, migrations) };
  const to: DiffTarget = { tag: 'schemaDatamodel', files: [{ path: schemaFile, content }] };
  const { exitCode, stdout } = await withSchemaEngine(migrationAdapters(url), [[schemaFile, content]], (engine) =>
    engine.diff({ from, to, script: true, exitCode: true, filters: noFilters }),
  );
  return exitCode === 0 ? null : stdout;
}

export async function withTemporaryPostgres<T>(fn: (url: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-schema-'));
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const dataDir = join(folder, 'database');
  try {
    const server = await startEmbeddedPostgres({
      dataDir,
      port: 0,
      password: randomBytes(16).toString('hex'),
      settings,
    });
    return await fn(server.url).finally(() => server.stop());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
