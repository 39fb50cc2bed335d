/** Prisma's schema engine, as WebAssembly in this process. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type * as Engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { MigrationAdapters } from './adapters.ts';
import type { Migration } from './files.ts';

/** What is used of it: neither the language's library nor Node's describes it. */
interface WebAssemblyHost {
  WebAssembly: {
    instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
  };
}

/** One instance in a process: the glue keeps views of the memory of the last one made. */
let loaded: Promise<typeof Engine> | null = null;

async function load(): Promise<typeof Engine> {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const script = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const code = await readFile(script.replace(/\.js$/, '.wasm'));
  const { instance } = await (globalThis as unknown as WebAssemblyHost).WebAssembly.instantiate(code, {
    './schema_engine_bg.js': { ...glue },
  });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue;
}

/** Runs `fn` with an engine on the database of `adapters`, and closes both. */
export async function withSchemaEngine<T>(
  adapters: MigrationAdapters,
  datamodels: [path: string, content: string][] | undefined,
  fn: (engine: Engine.SchemaEngine) => Promise<T>,
): Promise<T> {
  loaded ??= load();
  const { SchemaEngine } = await loaded;
  const discardLog = (): void => undefined;
  const bound = bindMigrationAwareSqlAdapterFactory(adapters.factory);
  const engine = await SchemaEngine.new({ datamodels }, discardLog, bound);
  try {
    return await fn(engine);
  } finally {
    engine.free();
    // The engine leaves its connections open, and with them the lock that keeps other engines out.
    await adapters.close();
  }
}

export const lockFile = 'migration_lock.toml';
export const lockFileContent = 'provider = "postgresql"\n';

export function migrationList(baseDir: string, migrations: readonly Migration[]): Engine.MigrationList {
  return {
    baseDir,
    lockfile: { path: lockFile, content: lockFileContent },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  };
}

export const noFilters = { externalTables: [], externalEnums: [] };
