/** Where the database is: a server that is configured, or PostgreSQL from the npm package in the data folder. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Config } from '../../platform/config/config.ts';
import { secretFile } from '../../platform/crypto/secret-file.ts';
import type { Releasers } from '../../platform/lifecycle/releasers.ts';
import { startEmbeddedPostgres } from '../../prisma/embedded.ts';

export interface DatabasePlace {
  /** `postgres://…` */
  url: string;
  /** Settles, with a sentence, when the database is gone for good; null when somebody else looks after it. */
  lost: Promise<string> | null;
}

/** What it starts is deferred to `releasers`. */
export async function findDatabase(config: Config, releasers: Releasers): Promise<DatabasePlace> {
  if (config.databaseUrl !== null) return { url: config.databaseUrl, lost: null };
  const embedded = await startEmbeddedPostgres({
    dataDir: path.join(config.dataDir, 'postgres'),
    port: config.embeddedDatabasePort,
    password: secretFile(path.join(config.dataDir, 'postgres.password'), () => randomBytes(24).toString('base64url')),
  });
  releasers.defer('postgres', () => embedded.stop());
  return { url: embedded.url, lost: embedded.lost.then(() => 'PostgreSQL ended by itself') };
}
