/** Runs git on one bare repository, with the same environment everywhere. */
import { spawn } from 'node:child_process';

/** Nothing of the caller's environment or git configuration reaches the repositories of the sandbox. */
export const gitEnvironment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_TERMINAL_PROMPT: '0',
} as const;

export class GitFailure extends Error {
  readonly exitCode: number | null;

  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    super(`git ${args[0] ?? ''} ended with ${String(exitCode)}: ${stderr.trim()}`);
    this.exitCode = exitCode;
  }
}

export interface GitOptions {
  readonly input?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Standard output of `git args…` in `directory`; throws GitFailure when it exits with anything but 0. */
export function git(directory: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd: directory, env: { ...gitEnvironment, ...options.environment } });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (exitCode) => {
      if (exitCode === 0) resolve(Buffer.concat(output));
      else reject(new GitFailure(args, exitCode, Buffer.concat(errors).toString()));
    });
    // A child that ends early closes its input; its exit code tells why.
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(options.input ?? '');
  });
}

export async function gitText(directory: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await git(directory, args, options)).toString();
}

/** Like `git`, with `null` where git answers "no" by exit code 1 or 128 (nothing found, not an ancestor, conflict). */
export async function gitOrNull(directory: string, args: readonly string[]): Promise<string | null> {
  try {
    return await gitText(directory, args);
  } catch (error) {
    if (error instanceof GitFailure && (error.exitCode === 1 || error.exitCode === 128)) return null;
    throw error;
  }
}
