/** Makes a cluster once: built aside and moved into place, so that a half one is never started. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { StalledError } from '../../platform/errors/errors.ts';
import { readIfThere } from '../../platform/files/if-there.ts';
import type { Binaries } from './binaries.ts';
import { spawnBound } from './bound.ts';
import type { ServerUser } from './user.ts';

export const superuser = 'landfall';
export const database = 'landfall';

export interface ClusterPlace {
  dataDir: string;
  binaries: Binaries;
  user: ServerUser;
}

export async function initialise(place: ClusterPlace, password: string): Promise<void> {
  const version = await clusterVersion(place.dataDir);
  if (version === null) await build(place, password);
  else if (version !== place.binaries.majorVersion) throw otherVersion(place, version);
}

async function clusterVersion(dataDir: string): Promise<string | null> {
  return (await readIfThere(join(dataDir, 'PG_VERSION')))?.trim() ?? null;
}

async function build(place: ClusterPlace, password: string): Promise<void> {
  const staging = `${place.dataDir}.initialising`;
  const cluster = join(staging, 'cluster');
  await rm(staging, { recursive: true, force: true });
  await mkdir(cluster, { recursive: true, mode: 0o700 });
  await lend(cluster, place.user);
  await runInitdb(place, cluster, await passwordFile(join(staging, 'password'), password, place.user));
  await createDatabase(place, cluster);
  await rename(cluster, place.dataDir);
  await rm(staging, { recursive: true });
}

async function lend(path: string, user: ServerUser): Promise<void> {
  if (user) await chown(path, user.uid, user.gid);
}

async function passwordFile(path: string, password: string, user: ServerUser): Promise<FileHandle> {
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  await lend(path, user);
  return open(path, 'r');
}

/**
 * Folder and password are named through `/proc/self`: so the server's user reaches what lies below folders that are closed
 * to it.
 */
async function runInitdb(place: ClusterPlace, cluster: string, passwords: FileHandle): Promise<void> {
  const args = [
    '--pgdata=/proc/self/cwd',
    '--pwfile=/proc/self/fd/3',
    `--username=${superuser}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Sorts by bytes, the same everywhere.
    '--no-locale',
  ];
  try {
    const child = spawnBound(
      { argv: [place.binaries.initdb, ...args], signal: 'KILL' },
      {
        ...runIn(cluster, place.user),
        stdio: ['ignore', 'ignore', 'pipe', passwords.fd],
      },
    );
    await succeeds(child, 'initdb');
  } finally {
    await passwords.close();
  }
}

/** In single-user mode, which reads statements from its standard input. */
async function createDatabase(place: ClusterPlace, cluster: string): Promise<void> {
  const argv = [place.binaries.postgres, '--single', '-D', '/proc/self/cwd', 'postgres'] as const;
  const child = spawnBound(
    { argv, signal: 'KILL' },
    {
      ...runIn(cluster, place.user),
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  );
  child.stdin?.end(`CREATE DATABASE ${database}\n`);
  await succeeds(child, 'creating the database');
}

function runIn(
  cwd: string,
  user: ServerUser,
): { cwd: string; env: Record<string, string>; uid?: number; gid?: number } {
  return { cwd, env: { LC_ALL: 'C' }, ...user };
}

async function succeeds(child: ChildProcess, what: string): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  throw new StalledError('database_not_initialised', `PostgreSQL could not be initialised (${what}): ${said.trim()}`);
}

function otherVersion(place: ClusterPlace, version: string): StalledError {
  const { majorVersion } = place.binaries;
  return new StalledError(
    'database_version',
    `The data in ${place.dataDir} is of PostgreSQL ${version}, and this release carries ${majorVersion}.`,
    { hint: `Dump it with the release that made it and restore the dump here, or start with an empty folder.` },
  );
}
