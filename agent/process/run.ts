/** Runs a program to its end: no shell, an explicit environment, a deadline, bounded output, and it ends with the agent. */
import { spawn } from 'node:child_process';
import { withDeadline } from './deadline.ts';

export interface RunOptions {
  argv: readonly string[];
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd?: string;
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The program could not be started at all. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
  readonly code = 'cannot_run';

  constructor(program: string, cause: Error) {
    super(`${program} cannot be started: ${cause.message}`, { cause });
  }
}

const maxOutputBytes = 16 * 1024 * 1024;

/** Answers whatever the exit code; a program killed at the deadline or by the signal rejects with the reason. */
export function run(options: RunOptions): Promise<RunResult> {
  const [program = ''] = options.argv;
  return withDeadline({ what: program, milliseconds: options.deadlineMs, signal: options.signal }, (signal) =>
    runBounded(options, signal),
  );
}

function runBounded(options: RunOptions, signal: AbortSignal): Promise<RunResult> {
  const args = ['--pdeathsig', 'KILL', '--', ...options.argv];
  return new Promise((resolve, reject) => {
    // A process group of its own, so that the children of the program end with it.
    const child = spawn('setpriv', args, {
      env: options.env,
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const kill = (): void => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    child.once('error', (error) => reject(new CannotRun(options.argv[0] ?? '', error)));
    child.once('close', (code, name) => {
      if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : new Error('The call was cancelled.'));
      else resolve({ code: code ?? (name === null ? 1 : 128), stdout: stdout(), stderr: stderr() });
    });
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxOutputBytes) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
