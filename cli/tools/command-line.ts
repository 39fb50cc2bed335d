/** Runs one program to its end and keeps the last lines it wrote, for the sentence that says why it failed. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface CommandLine {
  argv: readonly [string, ...string[]];
  cwd?: string;
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal | undefined;
  /** Every line of both outputs, as it comes. */
  onLine?: (line: string) => void;
}

/** The program ended with something else than 0, by a signal, or could not be started at all. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly lastLines: readonly string[];

  constructor(argv: readonly string[], how: string, lastLines: readonly string[]) {
    super([`${argv.join(' ')} ${how}`, ...lastLines.map((line) => `  ${line}`)].join('\n'));
    this.lastLines = lastLines;
  }
}

const keptLines = 12;

export function runToEnd({ argv, cwd, env, signal, onLine }: CommandLine): Promise<void> {
  const [command, ...args] = argv;
  const lastLines: string[] = [];
  const keep = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > keptLines) lastLines.shift();
    onLine?.(line);
  };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: child.stdout }).on('line', keep);
    createInterface({ input: child.stderr }).on('line', keep);
    child.on('error', (error) => reject(new CommandFailed(argv, `could not be run: ${error.message}`, lastLines)));
    child.on('close', (code, endedBy) => {
      if (code === 0) resolve();
      else
        reject(
          new CommandFailed(argv, endedBy === null ? `ended with ${String(code)}` : `ended by ${endedBy}`, lastLines),
        );
    });
  });
}
