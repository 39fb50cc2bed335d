import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, it } from 'vitest';
import { connectSandbox } from '../../sandbox/control/client.ts';
import { controlToken, setStage, type Stage } from '../../sandbox/testing/harness.ts';
import { useOpened } from '../../test/suite.ts';
import { commitChange, ensureSample, hasUnpushed, push, requireDeployedBranch, type Sample } from './sample.ts';

const run = promisify(execFile);
const stage: Stage = useOpened(() => setStage());
let sample: Sample;

const control = () => connectSandbox({ url: stage.sandbox.url, token: controlToken });
const git = async (...args: string[]) => (await run('git', ['-C', sample.directory, ...args])).stdout.trim();

beforeEach(async () => {
  sample = await ensureSample(control(), path.join(stage.folder, 'sample'));
});

it('is pushed once, and again when the branch that is deployed has a new commit', async () => {
  expect(await hasUnpushed(sample)).toBe(true);
  expect(await push(sample)).toBe(await git('rev-parse', 'main'));
  expect(await hasUnpushed(sample)).toBe(false);
  await commitChange(sample, 'Another page');
  expect(await hasUnpushed(sample)).toBe(true);
  await push(sample);
});

it('has nothing to push while another branch is checked out, whatever is on that', async () => {
  await git('switch', '--quiet', '--create', 'develop');
  await commitChange(sample, 'Not for main');
  expect(await hasUnpushed(sample)).toBe(false);
  await expect(requireDeployedBranch(sample)).rejects.toMatchObject({
    message: expect.stringContaining('is on the branch develop') as unknown,
    hint: expect.stringContaining('switch main') as unknown,
  });
  await git('switch', '--quiet', 'main');
  await expect(requireDeployedBranch(sample)).resolves.toBeUndefined();
});

it('has nothing to push when the sandbox is ahead', async () => {
  const { repositoryId } = sample;
  await stage.sandbox.commit({
    repositoryId,
    branch: 'main',
    author: 'ada',
    message: 'On the page',
    files: { a: 'a' },
  });
  expect(await hasUnpushed(sample)).toBe(false);
});
