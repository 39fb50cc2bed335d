/** The sample repository: made at the sandbox once, changed and pushed with the real git. */
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { StalledError } from '../../platform/errors/errors.ts';
import type { Control } from '../../sandbox/control/commands.ts';
import { packageRoot } from '../root.ts';
import { resolveTool } from '../tools/resolve.ts';

const run = promisify(execFile);
const owner = 'landfall';
const name = 'sample';
export const sampleRepository = `${owner}/${name}`;
export const sampleBranch = 'main';

export interface Sample {
  /** A working clone with the credentials to push. */
  directory: string;
  repositoryId: number;
  pageUrl: string;
}

async function git(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', directory, ...args], { timeout: 60_000 });
  return stdout.trim();
}

async function cloneSample(directory: string, url: string): Promise<void> {
  await run('git', ['init', '--quiet', `--initial-branch=${sampleBranch}`, directory]);
  await git(directory, 'config', 'user.name', 'Ada');
  await git(directory, 'config', 'user.email', 'ada@example.com');
  await git(directory, 'remote', 'add', 'origin', url);
  cpSync(path.join(packageRoot(), 'cli', 'up', 'sample'), directory, { recursive: true });
  const busybox = path.join(directory, 'busybox');
  copyFileSync((await resolveTool('busybox')).path, busybox);
  chmodSync(busybox, 0o755);
  await git(directory, 'add', '--all');
  await git(directory, 'commit', '--quiet', '--message', 'A page that busybox serves');
}

function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o700);
}

/** Finds the sample at the sandbox and on disk, or makes it. */
export async function ensureSample(sandbox: Control, directory: string): Promise<Sample> {
  const known = (await sandbox.listRepositories({})).find(({ fullName }) => fullName === sampleRepository);
  const repository =
    known ?? (await sandbox.createRepository({ owner, name, defaultBranch: sampleBranch, private: true }));
  const { url } = await sandbox.pushToken({ repositoryId: repository.id, login: 'ada' });
  makePrivate(directory);
  if (!existsSync(path.join(directory, '.git'))) await cloneSample(directory, url);
  else await git(directory, 'remote', 'set-url', 'origin', url);
  // The address there holds a token to push with.
  chmodSync(path.join(directory, '.git', 'config'), 0o600);
  return { directory, repositoryId: repository.id, pageUrl: repository.pageUrl };
}

/** Changes the page, so that there is something to deploy. `words` stand on the page; `files` are written beside it. */
export async function commitChange(sample: Sample, words: string, files: Record<string, string> = {}): Promise<void> {
  const page = path.join(sample.directory, 'www', 'index.html');
  const changed = readFileSync(page, 'utf8').replace(/(<p id="change">)[^<]*/, `$1${words}`);
  writeFileSync(page, changed);
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(sample.directory, name), content);
  await git(sample.directory, 'commit', '--quiet', '--all', '--message', words);
}

const deployedRef = `refs/heads/${sampleBranch}`;

/**
 * Whether the branch that is deployed has a commit that the sandbox lacks. Another branch may be checked out, and the sandbox may be
 * ahead, where a pull request was merged on its page: then there is nothing to push.
 */
export async function hasUnpushed({ directory }: Sample): Promise<boolean> {
  const [remote = ''] = (await git(directory, 'ls-remote', 'origin', deployedRef)).split('\t');
  if (remote === '') return true;
  await git(directory, 'fetch', '--quiet', 'origin', deployedRef);
  const behind = await git(directory, 'rev-list', '--count', `${deployedRef}..${remote}`);
  const ahead = await git(directory, 'rev-list', '--count', `${remote}..${deployedRef}`);
  return behind === '0' && ahead !== '0';
}

/** A change is committed to what is checked out. @throws StalledError when that is not what is deployed. */
export async function requireDeployedBranch({ directory }: Sample): Promise<void> {
  const branch = await git(directory, 'rev-parse', '--abbrev-ref', 'HEAD');
  if (branch === sampleBranch) return;
  throw new StalledError(
    'sample_branch',
    `The sample in ${directory} is on the branch ${branch}, which nothing deploys.`,
    {
      hint: `Go back with: git -C ${directory} switch ${sampleBranch}`,
    },
  );
}

/** A real `git push` of the branch that is deployed. Gives the commit. */
export async function push({ directory }: Sample): Promise<string> {
  await git(directory, 'push', '--quiet', '--set-upstream', 'origin', sampleBranch);
  return git(directory, 'rev-parse', deployedRef);
}
