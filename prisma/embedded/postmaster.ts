/** Starts the server process, waits until it answers, and stops it or one that was left behind. */
import type { ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StalledError } from '../../platform/errors/errors.ts';
import { readIfThere } from '../../platform/files/if-there.ts';
import { identify } from '../../platform/lifecycle/claim-file.ts';
import { spawnBound } from './bound.ts';
import type { ClusterPlace } from './initialise.ts';
import { settingArguments } from './settings.ts';

/** A crash may have left minutes of log to replay. */
const readyWithinMs = 120_000;
const stopWithinMs = 15_000;

export interface Postmaster {
  /** Settles when the server ends that nobody stopped. */
  lost: Promise<void>;
  stop(): Promise<void>;
}

export async function startPostmaster(
  place: ClusterPlace,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<Postmaster> {
  const logFile = `${place.dataDir}.log`;
  const child = await launch(place, ['-p', String(port), ...settingArguments(settings)], logFile);
  // Not left behind when this process ends without stopping it.
  const interrupt = (): boolean => child.kill('SIGINT');
  process.once('exit', interrupt);
  let stopping = false;
  const lost = new Promise<void>((resolve) => {
    child.once('exit', () => {
      if (!stopping) resolve();
    });
  });
  await untilReady(child, place.dataDir, logFile);
  return {
    lost,
    async stop() {
      stopping = true;
      process.off('exit', interrupt);
      if (child.pid !== undefined && !hasEnded(child)) await stopServer(child.pid);
    },
  };
}

async function launch(place: ClusterPlace, args: string[], logFile: string): Promise<ChildProcess> {
  const log = await open(logFile, 'w', 0o600);
  try {
    // A session of its own: Ctrl-C in the terminal is for us, who stop the server last.
    // SIGINT ends connections and writes the data, as a stop does.
    const program = { argv: [place.binaries.postgres, '-D', '/proc/self/cwd', ...args], signal: 'INT' } as const;
    const child = spawnBound(program, {
      cwd: place.dataDir,
      env: { LC_ALL: 'C' },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...(place.user ?? {}),
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    return child;
  } finally {
    await log.close();
  }
}

async function untilReady(child: ChildProcess, dataDir: string, logFile: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (!(await isReady(dataDir, child.pid))) {
    if (hasEnded(child)) throw await failed('PostgreSQL ended while it was starting', logFile);
    if (Date.now() > deadline) {
      child.kill('SIGQUIT');
      throw await failed(`PostgreSQL was not ready within ${readyWithinMs / 1000} seconds`, logFile);
    }
    await delay(5);
  }
}

/** The eighth line of the server's own pid file says what it is doing. */
async function isReady(dataDir: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readIfThere(join(dataDir, 'postmaster.pid')))?.split('\n');
  return lines?.[0] === String(pid) && lines[7]?.trim() === 'ready';
}

async function failed(what: string, logFile: string): Promise<StalledError> {
  const tail = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-5).join('\n');
  return new StalledError('database_start_failed', `${what}. It said: ${tail}`, {
    hint: `The whole log is ${logFile}.`,
  });
}

/** Asks the server to end its connections and write its data; after 15 seconds it recovers at its next start instead. */
export async function stopServer(pid: number): Promise<void> {
  const identity = await identify(pid);
  if (identity === null) return;
  process.kill(pid, 'SIGINT');
  if (await endsWithin(pid, identity.startedAt, stopWithinMs)) return;
  process.kill(pid, 'SIGQUIT');
  if (await endsWithin(pid, identity.startedAt, stopWithinMs)) return;
  throw new StalledError('database_stop_failed', `PostgreSQL, process ${pid}, does not stop.`);
}

async function endsWithin(pid: number, startedAt: string, milliseconds: number): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  while ((await identify(pid))?.startedAt === startedAt) {
    if (Date.now() > deadline) return false;
    await delay(10);
  }
  return true;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
