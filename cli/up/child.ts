/** One supervised child process: argv, a log file, a way to know it is ready, and an end that always comes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface ChildSpec {
  name: string;
  argv: [string, ...string[]];
  env: Record<string, string>;
  logDir: string;
  /** How long it may take to become ready. */
  readyWithinMs: number;
  /** Said of every line of standard output until it answers true. */
  isReadyLine?: (line: string) => boolean;
  /** Asked again and again, every 50 ms, when readiness does not show in a line. */
  isReady?: () => Promise<boolean>;
  /** Between SIGTERM and SIGKILL. */
  stopWithinMs: number;
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

/** Starts the process and waits until it is ready. Rejects with ChildFailed, and its last lines, when it is not. */
export async function startChild(spec: ChildSpec): Promise<Child> {
  mkdirSync(spec.logDir, { recursive: true });
  const logFile = path.join(spec.logDir, `${spec.name}.log`);
  const log = createWriteStream(logFile, { flags: 'w', mode: 0o600 });
  const [command, ...args] = [...dieWithParent, ...spec.argv];
  const child = spawn(command, args, { env: spec.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`${spec.name} could not be started: ${error.message}`));
    child.on('close', (code, signal) => {
      log.end();
      resolve(`${spec.name} ended ${signal === null ? `with exit code ${String(code)}` : `by ${signal}`}`);
    });
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), spec.stopWithinMs);
    await ended;
    clearTimeout(timer);
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(
      () => resolve(`${spec.name} was not ready within ${spec.readyWithinMs / 1000} s`),
      spec.readyWithinMs,
    );
  });
  const problem = await Promise.race([whenReady(spec, child).then(() => null), ended, late]);
  clearTimeout(timer);
  if (problem !== null) {
    await stop();
    throw new ChildFailed(`${problem}. Its last lines (all of them: ${logFile}):\n${tail(logFile)}`);
  }
  return { name: spec.name, pid: child.pid ?? 0, ended, stop };
}
