/** Starts a long-running program that ends with the agent, and ends it: politely first, then surely. */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { isGone, readIfThereSync } from '../../platform/files/if-there.ts';
import { containedArgv, type Containment } from './containment.ts';

export interface ChildOptions {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  containment: Containment;
  /** Every line the program writes, for the agent's log. */
  onLine: (line: string) => void;
}

export type Exit =
  { kind: 'code'; code: number } | { kind: 'signal'; signal: string } | { kind: 'unstartable'; error: Error };

export interface Child {
  readonly pid: number | null;
  readonly exited: Promise<Exit>;
  /** `/proc` as the program and its children see it. */
  readonly procRoot: () => string;
  /** SIGTERM, and SIGKILL when it is still there after `graceMs`. */
  readonly stop: (graceMs: number) => Promise<void>;
}

export function startChild(options: ChildOptions): Child {
  const [command = '', ...args] = containedArgv(options.containment, options.argv);
  // Its own session: Ctrl-C in the agent's terminal does not reach it.
  const process = spawn(command, args, { env: options.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [process.stdout, process.stderr]) forwardLines(stream, options.onLine);
  // A program that is not there says nothing itself.
  process.once('error', (error) => options.onLine(error.message));
  const exited = exitOf(process);
  const contained = options.containment.kind === 'contained';
  const leader = (): number | null => (contained ? firstChildOf(process.pid) : (process.pid ?? null));
  return {
    pid: process.pid ?? null,
    exited,
    procRoot: () => {
      const init = contained ? leader() : null;
      return init === null ? '/proc' : `/proc/${init}/root/proc`;
    },
    stop: async (graceMs) => {
      signal(leader(), 'SIGTERM');
      const timer = new AbortController();
      await Promise.race([exited, delay(graceMs, undefined, { signal: timer.signal }).catch(ignoreAbort)]);
      timer.abort();
      signal(process.pid ?? null, 'SIGKILL');
      await exited;
    },
  };
}

function exitOf(process: ReturnType<typeof spawn>): Promise<Exit> {
  return new Promise((resolve) => {
    process.once('error', (error) => resolve({ kind: 'unstartable', error }));
    process.once('exit', (code, name) => {
      resolve(name === null ? { kind: 'code', code: code ?? 0 } : { kind: 'signal', signal: name });
    });
  });
}

function forwardLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.filter((line) => line !== '').forEach(onLine);
  });
}

/** The host's pid of a namespace's first process: the only child of `unshare`. */
function firstChildOf(pid: number | undefined): number | null {
  if (pid === undefined) return null;
  const first = readIfThereSync(`/proc/${pid}/task/${pid}/children`)?.trim().split(' ')[0];
  return first === undefined || first === '' ? null : Number(first);
}

function signal(pid: number | null, name: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === null) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
