/** One child process: argv, a log file, a way to know it is ready, and an end that always comes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface ChildSpec {
  name: string;
  argv: [string, ...string[]];
  env: Record<string, string>;
  logDir: string;
  /** Whether the log goes on where that of an earlier process of this name ended. */
  log: 'new' | 'continued';
  /** How long it may take to become ready. */
  readyWithinMs: number;
  /** Said of every line of standard output until it answers true. */
  isReadyLine?: (line: string) => boolean;
  /** Asked again and again, every 50 ms, when readiness does not show in a line. */
  isReady?: () => Promise<boolean>;
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

function tail(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.slice(-8).join('\n');
}

function whenReady(spec: ChildSpec, process: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout !== null && spec.isReadyLine !== undefined) {
      const { isReadyLine } = spec;
      createInterface({ input: process.stdout }).on('line', (line) => {
        if (isReadyLine(line)) resolve();
      });
    }
    const { isReady } = spec;
    if (isReady === undefined) return;
    const ask = (): void => {
      void isReady().then((ready) => {
        if (ready) resolve();
        else if (process.exitCode === null) setTimeout(ask, 50);
      });
    };
    ask();
  });
}

/** Resolves at the end of the process, when its last lines are in the log. */
function endOf(name: string, child: ChildProcess, log: WriteStream): Promise<string> {
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return new Promise((resolve) => {
    const end = (sentence: string): void => void log.end(() => resolve(sentence));
    child.on('error', (error) => end(`${name} could not be started: ${error.message}`));
    child.on('close', (code, signal) =>
      end(`${name} ended ${signal === null ? `with exit code ${String(code)}` : `by ${signal}`}`),
    );
  });
}

function stopper(spec: ChildSpec, child: ChildProcess, ended: Promise<string>): () => Promise<void> {
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
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
  { ended, signal }: { ended: Promise<string>; signal: AbortSignal },
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
    return await Promise.race([whenReady(spec, child).then(() => null), ended, late, aborted]);
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
  mkdirSync(spec.logDir, { recursive: true });
  const logFile = path.join(spec.logDir, `${spec.name}.log`);
  const log = createWriteStream(logFile, { flags: spec.log === 'new' ? 'w' : 'a', mode: 0o600 });
  const [command, ...args] = [...dieWithParent, ...spec.argv];
  const child = spawn(command, args, { env: spec.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const ended = endOf(spec.name, child, log);
  const stop = stopper(spec, child, ended);
  if (child.pid !== undefined) await spec.onSpawn(child.pid);
  const problem = await obstacleToReadiness(spec, child, { ended, signal });
  if (problem !== null) {
    await stop();
    signal.throwIfAborted();
    throw new ChildFailed(`${problem}. Its last lines (all of them: ${logFile}):\n${tail(logFile)}`);
  }
  return { name: spec.name, pid: child.pid ?? 0, ended, stop };
}
