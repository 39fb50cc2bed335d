/** A real `git push`, timed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sampleBranch, type Sample } from '../../cli/up/sample.ts';

const run = promisify(execFile);

export async function timedPush({ directory }: Sample): Promise<{ sha: string; tookMs: number }> {
  const git = (...args: string[]) => run('git', ['-C', directory, ...args], { timeout: 60_000 });
  const { stdout } = await git('rev-parse', 'HEAD');
  const began = performance.now();
  await git('push', '--quiet', '--set-upstream', 'origin', sampleBranch);
  return { sha: stdout.trim(), tookMs: performance.now() - began };
}
