/** One child process: argv, a log file, a way to know it is ready, and an end that always comes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface ChildSpec {
  name: string;
  argv: [string, ...string[]];
  env: Readonly<Record<string, string>>;
  logDir: string;
  /** Whether the log goes on where that of an earlier process of this name ended. */
  log: 'new' | 'continued';
  /** How long it may take to become ready. */
  readyWithinMs: number;
  /** By a line that it writes, or asked again and again. */
  ready: { kind: 'line'; is: (line: string) => boolean } | { kind: 'asked'; ask: () => Promise<boolean> };
  /** Between SIGTERM and SIGKILL. */
  stopWithinMs: number;
  /** Told of the process before it is waited for. */
  onSpawn: (pid: number) => Promise<void>;
}

export interface Child {
  name: string;
  pid: number;
  /** Settles when the process is gone, with a sentence that says how. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** A parent that is killed takes its children along: the kernel sends them SIGTERM (prctl(2), PR_SET_PDEATHSIG). */
const dieWithParent = ['setpriv', '--pdeathsig', 'TERM', '--'] as const;

export class ChildFailed extends Error {}

/** Where it writes: into the file itself, so that it can still say what it does when `up` was killed. */
interface Log {
  file: string;
  /** Bytes that were there before. */
  from: number;
}

const readyPollMs = 25;

function tail(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.slice(-8).join('\n');
}

/** Whether a line that says so has come to stand in the file since it had so many bytes. */
function saysReady(file: string, from: number, isReadyLine: (line: string) => boolean): boolean {
  return readFileSync(file).subarray(from).toString('utf8').split('\n').some(isReadyLine);
}

function isAlive({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

function whenReady(spec: ChildSpec, process: ChildProcess, log: Log): Promise<void> {
  const isReady = (): Promise<boolean> =>
    spec.ready.kind === 'line' ? Promise.resolve(saysReady(log.file, log.from, spec.ready.is)) : spec.ready.ask();
  return new Promise((resolve) => {
    const ask = (): void => {
      void isReady().then((ready) => {
        if (ready) resolve();
        else if (isAlive(process)) setTimeout(ask, readyPollMs);
      });
    };
    ask();
  });
}

function endOf(name: string, child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`${name} could not be started: ${error.message}`));
    child.on('exit', (code, signal) =>
      resolve(`${name} ended ${signal === null ? `with exit code ${String(code)}` : `by ${signal}`}`),
    );
  });
}

function stopper(spec: ChildSpec, child: ChildProcess, ended: Promise<string>): () => Promise<void> {
  return async () => {
    if (!isAlive(child)) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), spec.stopWithinMs);
    await ended;
    clearTimeout(timer);
  };
}

/** Resolves to null when it is ready in time, else to what went wrong. */
async function obstacleToReadiness(
  spec: ChildSpec,
  child: ChildProcess,
  { log, ended, signal }: { log: Log; ended: Promise<string>; signal: AbortSignal },
): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    const sentence = `${spec.name} was not ready within ${spec.readyWithinMs / 1000} s`;
    timer = setTimeout(resolve, spec.readyWithinMs, sentence);
  });
  const aborted = new Promise<string>((resolve) => {
    const abort = (): void => resolve(`${spec.name} was asked to end before it was ready`);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([whenReady(spec, child, log).then(() => null), ended, late, aborted]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts the process and waits until it is ready. Rejects when it is not, with ChildFailed and its last lines, or with the
 * signal's reason; it is gone then.
 */
export async function startChild(spec: ChildSpec, signal: AbortSignal): Promise<Child> {
  signal.throwIfAborted();
  const { child, log } = launch(spec);
  const ended = endOf(spec.name, child);
  const stop = stopper(spec, child, ended);
  if (child.pid !== undefined) await spec.onSpawn(child.pid);
  const problem = await obstacleToReadiness(spec, child, { log, ended, signal });
  if (problem !== null) {
    await stop();
    signal.throwIfAborted();
    throw new ChildFailed(`${problem}. Its last lines (all of them: ${log.file}):\n${tail(log.file)}`);
  }
  return { name: spec.name, pid: child.pid ?? 0, ended, stop };
}

function launch(spec: ChildSpec): { child: ChildProcess; log: Log } {
  mkdirSync(spec.logDir, { recursive: true, mode: 0o700 });
  const file = path.join(spec.logDir, `${spec.name}.log`);
  const descriptor = openSync(file, spec.log === 'new' ? 'w' : 'a', 0o600);
  const from = fstatSync(descriptor).size;
  const [command, ...args] = [...dieWithParent, ...spec.argv];
  const stdio = ['ignore', descriptor, descriptor] as const;
  const child = spawn(command, args, { env: spec.env, stdio: [...stdio], detached: true });
  closeSync(descriptor);
  return { child, log: { file, from } };
}
