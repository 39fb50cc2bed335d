/** `create-migration NAME`: writes the migration that brings the database from the last one to the schema. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile, lockFileContent } from '../migrate/engine.ts';
import { migrationsDir } from '../migrate/files.ts';
import { missingStatements, withTemporaryPostgres } from './schema.ts';

const [name] = process.argv.slice(2);
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error('usage: create-migration NAME, with a name of small letters, digits and _, e.g. add_node_region');
  process.exit(1);
}

const sql = await withTemporaryPostgres((url) => missingStatements(url));
if (sql === null) {
  console.log('The migrations already make the schema; nothing to write.');
} else {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const directory = join(migrationsDir, `${stamp}_${name}`);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'migration.sql'), sql);
  await writeFile(join(migrationsDir, lockFile), lockFileContent);
  console.log(`Wrote ${directory}/migration.sql; read it before you commit it.`);
}
