/** A program that runs while a test looks at it: what it has said so far, and its end. */
import { spawn } from 'node:child_process';
import { eventually } from './eventually.ts';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Program {
  pid: number;
  /** Resolves when standard error matches. Rejects when the program ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  signal(name: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

/** In a process group of its own, as a shell would start it. */
export function start(argv: readonly string[], env: Record<string, string> = {}): Program {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  let end: Ended | null = null;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve((end = { code, signal, ...said })));
  });
  return {
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    ended,
    says: (pattern) =>
      eventually(
        () => {
          const found = pattern.exec(said.stderr);
          if (found === null && end !== null)
            throw new Error(`It ended without saying ${String(pattern)}: ${said.stderr}`);
          return found;
        },
        { what: `${argv.join(' ')} to say ${String(pattern)}`, withinMs: 180_000, lastSeen: () => said },
      ),
  };
}

/** Runs it to its end. */
export function run(argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return start(argv, env).ended;
}

/** Gives its standard output. */
export async function succeed(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(argv);
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}
