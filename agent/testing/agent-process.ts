/** Runs the agent as a process of its own, as a server does, for tests that end it rudely. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { agentEnvironment } from '../../platform/config/agent.ts';

export interface AgentProcess {
  readonly pid: number;
  readonly output: () => string;
  /** Resolves with its exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** Resolves when it says that it is ready, or has ended. */
export async function startAgentProcess(flags: readonly string[]): Promise<AgentProcess> {
  const main = path.join(import.meta.dirname, '..', 'main.ts');
  const env: Record<string, string> = { ...agentEnvironment().variables, LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...flags], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : null));
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('{"ready":true')) resolve();
      });
    }
  });
  await Promise.race([ready, exited]);
  const signal = (name: NodeJS.Signals): void => void child.kill(name);
  return { pid: child.pid ?? 0, output: () => output, exited, signal };
}
