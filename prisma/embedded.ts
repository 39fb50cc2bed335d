/** Runs the PostgreSQL of the npm package on a folder: initialises it once, starts it, and stops it. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { claimFile } from '../platform/lifecycle/claim-file.ts';
import { locateBinaries } from './embedded/binaries.ts';
import { database, initialise, superuser, type ClusterPlace } from './embedded/initialise.ts';
import { claimDataDir, orphanedServer, ownerFile } from './embedded/owner.ts';
import { takePort } from './embedded/port.ts';
import { startPostmaster, stopServer, type Postmaster } from './embedded/postmaster.ts';
import { settings } from './embedded/settings.ts';
import { serverUser } from './embedded/user.ts';

export interface EmbeddedPostgresOptions {
  /** The cluster's folder, made when it is missing. Its log, owner and lock lie beside it: `<dataDir>.log`, `<dataDir>.owner`. */
  dataDir: string;
  /** On 127.0.0.1; 0 takes a free one. */
  port: number;
  /** Of the superuser; set when the folder is initialised, and the same at every start. */
  password: string;
  /** Server settings over ours, e.g. `{ fsync: 'off' }` for data that nobody keeps. */
  settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  url: string;
  port: number;
  /** Settles when it ends that nobody stopped: whoever needs it has to start again. */
  lost: Promise<void>;
  stop(): Promise<void>;
}

/** @throws StalledError when the port is taken, another process has the folder, or the server does not start. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const user = await serverUser(process.getuid?.() ?? -1);
  const place: ClusterPlace = { dataDir, user, binaries: await locateBinaries(user) };
  const release = await claimDataDir(dataDir);
  try {
    await initialise(place, options.password);
    await clearLeftovers(dataDir);
    const port = await takePort(options.port);
    const postmaster = await startPostmaster(place, port, { ...settings, ...options.settings });
    return running(postmaster, { release, port, password: options.password });
  } catch (error) {
    release();
    throw error;
  }
}

function running(
  postmaster: Postmaster,
  at: { release: () => void; port: number; password: string },
): EmbeddedPostgres {
  return {
    url: `postgres://${superuser}:${encodeURIComponent(at.password)}@127.0.0.1:${at.port}/${database}`,
    port: at.port,
    lost: postmaster.lost,
    async stop() {
      await postmaster.stop();
      at.release();
    },
  };
}

/** Ends the server that a killed process left on this folder; leaves one alone that somebody owns. */
export async function endOrphanedPostgres(dataDir: string): Promise<void> {
  if (!existsSync(dataDir)) return;
  const claim = await claimFile(ownerFile(resolve(dataDir)));
  if (claim.kind === 'theirs') return;
  try {
    await stopOrphan(resolve(dataDir));
  } finally {
    claim.release();
  }
}

async function stopOrphan(dataDir: string): Promise<void> {
  const orphan = await orphanedServer(dataDir);
  if (orphan !== null) await stopServer(orphan);
}

/** What a killed process left: its server still running on this folder, or the lock of one that is gone. */
async function clearLeftovers(dataDir: string): Promise<void> {
  await stopOrphan(dataDir);
  await rm(join(dataDir, 'postmaster.pid'), { force: true });
}
