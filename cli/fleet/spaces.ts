/**
 * Namespaces that are held by a process: they, their interfaces and everything that runs in them are gone when it is, however it
 * dies, and it dies with this process.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readIfThereSync } from '../../platform/files/if-there.ts';

const call = promisify(execFile);

const diesWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'] as const;
const pollMs = 5;
const appearsWithinMs = 5_000;

/** A set of namespaces. */
export interface Space {
  /** Its first process, as the root namespace counts. */
  pid: number;
  /** argv that runs a program in it. */
  inside(argv: readonly string[]): string[];
  /** Runs a program in it to its end. Rejects, with what it said, when it fails. */
  run(argv: readonly string[]): Promise<string>;
  /** As if the power was cut: everything in it is killed at once. */
  end(): Promise<void>;
}

/** A network and nothing else: a switch, a router, a client. */
export async function networkSpace(): Promise<Space> {
  const holder = hold(['unshare', '--net', '--', 'sleep', 'infinity']);
  // The program that makes the namespace is the one that holds it: it is made when its name is the holder's.
  await until(() => nameOf(holder.pid) === 'sleep');
  return space(holder, { pid: pidOf(holder), kinds: ['--net'] });
}

/** A whole machine: its own network, mounts and processes. `init` sets it up, and has done so when it becomes `becomes`. */
export async function machineSpace(init: readonly string[], becomes: string): Promise<Space> {
  const kinds = ['--net', '--mount', '--pid'];
  const own = ['--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
  const holder = hold(['unshare', ...kinds, ...own, '--', ...init]);
  const pid = await until(() => {
    const first = firstChildOf(holder.pid);
    return first !== null && nameOf(first) === becomes && first;
  });
  return space(holder, { pid, kinds });
}

function hold(argv: readonly string[]): ChildProcess {
  const [command, ...args] = [...diesWithUs, ...argv] as const;
  return spawn(command, args, { stdio: 'ignore', detached: true });
}

function space(holder: ChildProcess, { pid, kinds }: { pid: number; kinds: readonly string[] }): Space {
  const inside = (argv: readonly string[]): string[] => ['nsenter', '--target', String(pid), ...kinds, '--', ...argv];
  return {
    pid,
    inside,
    run: (argv) => runToEnd(inside(argv)),
    async end() {
      if (holder.exitCode !== null || holder.signalCode !== null) return;
      const gone = new Promise((resolve) => holder.once('exit', resolve));
      holder.kill('SIGKILL');
      await gone;
      await until(() => !isAlive(pid));
    },
  };
}

/** In the root namespace. Gives what it prints. */
export async function runToEnd([command = '', ...args]: readonly string[]): Promise<string> {
  const { stdout } = await call(command, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('unshare could not be started. Install util-linux, and run as root.');
  return pid;
}

function nameOf(pid: number | undefined): string | null {
  return readIfThereSync(`/proc/${pid}/comm`)?.trim() ?? null;
}

/** Zombies are dead. */
function isAlive(pid: number): boolean {
  const stat = readIfThereSync(`/proc/${pid}/stat`);
  return stat !== null && !/^\d+ \(.*\) [ZX] /s.test(stat);
}

export function firstChildOf(pid: number | undefined): number | null {
  const [first = ''] = (readIfThereSync(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ');
  return first === '' ? null : Number(first);
}

/** The kernel tells nobody when a namespace has come to be or is gone: it is asked again and again. */
async function until<T>(found: () => T | null | false): Promise<T> {
  const deadline = Date.now() + appearsWithinMs;
  for (;;) {
    const value = found();
    if (value !== null && value !== false) return value;
    if (Date.now() > deadline) throw new Error('A namespace did not come to be, or did not end, within 5 s.');
    await delay(pollMs);
  }
}
