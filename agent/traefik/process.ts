/** Runs Traefik so that it lives on when the agent is started again: it is found by what was written down about it. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readdir, readlink, rm } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { codeOf } from '../../platform/errors/classify.ts';
import { ifThere, isGone, readIfThere } from '../../platform/files/if-there.ts';
import { writeAtomically } from '../storage/atomic-file.ts';

/** A process, and no later one with the same number. */
const Written = Type.Object({
  pid: Type.Integer(),
  /** Clock ticks since boot: field 22 of `/proc/PID/stat`. */
  startedAt: Type.String(),
  /** Of the configuration that it was started with. */
  digest: Type.String(),
});
export type Running = Static<typeof Written>;

export type ProxyLifetime = 'outlives_agent' | 'ends_with_agent';

export interface StartOptions {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  logFile: string;
  pidFile: string;
  digest: string;
  lifetime: ProxyLifetime;
}

export async function startProxyProcess(options: StartOptions): Promise<Running> {
  const descriptor = openSync(options.logFile, 'a', 0o600);
  const dies = options.lifetime === 'ends_with_agent' ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
  const [command = '', ...args] = [...dies, ...options.argv];
  const child = spawn(command, args, { env: options.env, stdio: ['ignore', descriptor, descriptor], detached: true });
  closeSync(descriptor);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', () => resolve());
    child.once('error', reject);
  });
  child.unref();
  const pid = child.pid ?? 0;
  const running = { pid, startedAt: (await startOf(pid)) ?? '', digest: options.digest };
  await writeAtomically(options.pidFile, JSON.stringify(running));
  return running;
}

/** What was started before, by this agent or the one before it; null when it is gone. */
export async function findProxyProcess(pidFile: string): Promise<Running | null> {
  const text = await readIfThere(pidFile);
  const written: unknown = text === null ? null : JSON.parse(text);
  return Check(Written, written) && (await isRunning(written)) ? written : null;
}

export async function isRunning({ pid, startedAt }: Running): Promise<boolean> {
  return (await startOf(pid)) === startedAt;
}

export async function forgetProxyProcess(pidFile: string): Promise<void> {
  await rm(pidFile, { force: true });
}

/** Null when there is no such process, or only what is left of it. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

export function signalProxy({ pid }: Running, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Whether this very process takes connections at the port: beside it another one may, too. */
export async function listensOn({ pid }: Running, port: number): Promise<boolean> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readIfThere(`/proc/${pid}/net/${name}`)));
  const inodes = new Set(tables.flatMap((table) => listeners(table ?? '', port)));
  const descriptors = (await ifThere(readdir(`/proc/${pid}/fd`))) ?? [];
  // The kernel refuses a link (EACCES) whose process ended since it was looked up.
  const isClosed = (error: unknown): boolean => isGone(error) || codeOf(error) === 'EACCES';
  const links = await Promise.all(descriptors.map((name) => ifThere(readlink(`/proc/${pid}/fd/${name}`), isClosed)));
  return links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link ?? '')?.[1] ?? ''));
}

/** Inodes of the sockets that listen at the port, from a table of proc(5). */
function listeners(table: string, port: number): string[] {
  const lines = table.split('\n').map((line) => line.trim().split(/\s+/));
  const listening = '0A';
  return lines.flatMap(([, local = '', , state, , , , , , inode = '']) =>
    state === listening && parseInt(local.slice(local.lastIndexOf(':') + 1), 16) === port ? inode : [],
  );
}
