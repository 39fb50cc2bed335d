/** Where the database is: a server that is configured, or PostgreSQL from the npm package in the data folder. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../platform/config/config.ts';
import type { Releasers } from '../../platform/lifecycle/releasers.ts';
import { startEmbeddedPostgres } from '../../prisma/embedded.ts';

function embeddedPassword(dataDir: string): string {
  const file = path.join(dataDir, 'postgres.password');
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  }
  return readFileSync(file, 'utf8');
}

/** A `postgres://` URL. What it starts is deferred to `releasers`. */
export async function databaseUrl(config: Config, releasers: Releasers): Promise<string> {
  if (config.databaseUrl !== null) return config.databaseUrl;
  const embedded = await startEmbeddedPostgres({
    dataDir: path.join(config.dataDir, 'postgres'),
    port: config.embeddedDatabasePort,
    password: embeddedPassword(config.dataDir),
  });
  releasers.defer('postgres', () => embedded.stop());
  return embedded.url;
}
