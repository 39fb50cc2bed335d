/** Runs git to its end, and says in a build's words why it failed. */
import { CannotRun, run, type RunResult } from '../../process/run.ts';
import { BuildFailed } from '../failure.ts';

export interface GitCall {
  env: Readonly<Record<string, string>>;
  cwd?: string;
  deadlineMs: number;
  signal: AbortSignal;
}

/** Rejects with BuildFailed `source_unavailable` when git says no. */
export async function git(args: readonly string[], call: GitCall): Promise<RunResult> {
  const result = await gitResult(args, call);
  if (result.code === 0) return result;
  const verb = args.find((one) => !one.startsWith('-') && !one.includes('=')) ?? '';
  throw new BuildFailed('source_unavailable', `git ${verb} failed: ${complaintOf(result)}`);
}

/** Answers whatever the exit code. */
export async function gitResult(args: readonly string[], call: GitCall): Promise<RunResult> {
  const { env, deadlineMs, signal, cwd } = call;
  try {
    return await run({ argv: ['git', ...args], env, deadlineMs, signal, ...(cwd === undefined ? {} : { cwd }) });
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    throw new BuildFailed('builder_unavailable', `${error.message} Install git on this node.`, { cause: error });
  }
}

/** The line that names the cause: git may follow it with advice. */
export function complaintOf({ stderr }: RunResult): string {
  const lines = stderr.trim().split('\n');
  return (lines.find((line) => line.startsWith('fatal: ')) ?? lines.at(-1) ?? '').slice(0, 500);
}
