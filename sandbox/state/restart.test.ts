import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startSandbox } from '../server.ts';
import { git, installationOctokit, sandboxOptions, temporaryFolder } from '../testing/harness.ts';

const repo = { owner: 'acme', repo: 'shop' };

it('resumes with everything it had', async () => {
  const folder = await temporaryFolder();
  const first = await startSandbox(sandboxOptions(folder.path));
  const { id, installationId } = await first.createRepository({ owner: 'acme', name: 'shop', files: { a: 'a' } });
  const push = await first.pushToken({ repositoryId: id });
  await first.commit({ repositoryId: id, branch: 'feature', author: 'ada', message: 'm', files: { b: 'b' } });
  const pull = await first.openPull({ repositoryId: id, author: 'ada', title: 't', head: 'feature' });
  await first.comment({ repositoryId: id, number: pull.number, author: 'ada', body: 'hello' });
  const octokit = installationOctokit(first, installationId!);
  const deployment = (await octokit.rest.repos.createDeployment({ ...repo, ref: 'main' })).data as { id: number };
  const run = await octokit.rest.checks.create({ ...repo, name: 'build', head_sha: pull.headSha });
  await octokit.rest.repos.createDeploymentStatus({ ...repo, deployment_id: deployment.id, state: 'success' });
  await first.close();

  const second = await startSandbox(sandboxOptions(folder.path));
  try {
    const resumed = installationOctokit(second, installationId!);
    expect((await resumed.rest.repos.get(repo)).data.id).toBe(id);
    expect((await resumed.rest.checks.get({ ...repo, check_run_id: run.data.id })).data.name).toBe('build');
    const statuses = await resumed.rest.repos.listDeploymentStatuses({ ...repo, deployment_id: deployment.id });
    expect(statuses.data.map(({ state }) => state)).toEqual(['success']);
    const comments = await resumed.rest.issues.listComments({ ...repo, issue_number: pull.number });
    expect(comments.data.map(({ body }) => body)).toEqual(['hello']);
    const credentials = new URL(push.url);
    credentials.port = new URL(second.url).port;
    expect(await git(folder.path, 'ls-remote', credentials.href)).toContain(`${pull.headSha}\trefs/heads/feature`);
    const next = await resumed.rest.checks.create({ ...repo, name: 'build', head_sha: pull.headSha });
    expect(next.data.id).toBeGreaterThan(run.data.id);
    expect(second.failures).toEqual([]);
  } finally {
    await second.close();
    await folder.remove();
  }
});

it('still knows after a restart which deliveries failed', async () => {
  const folder = await temporaryFolder();
  const first = await startSandbox(sandboxOptions(folder.path, { webhookUrl: 'http://127.0.0.1:9/' }));
  await first.createRepository({ owner: 'acme', name: 'shop', files: { a: 'a' } });
  await first.deliveries.idle();
  const before = await first.listDeliveries({});
  await first.close();
  const second = await startSandbox(sandboxOptions(folder.path));
  expect(await second.listDeliveries({})).toEqual(before);
  await second.close();
  await folder.remove();
});

it('refuses a snapshot of another format, and keeps secrets out of it', async () => {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'state.json');
  const sandbox = await startSandbox(sandboxOptions(folder.path));
  const { id } = await sandbox.createRepository({ owner: 'acme', name: 'shop' });
  const { password } = await sandbox.pushToken({ repositoryId: id });
  await sandbox.close();
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain(password);
  await writeFile(file, JSON.stringify({ ...(JSON.parse(text) as object), version: 99 }));
  await expect(startSandbox(sandboxOptions(folder.path))).rejects.toThrow(/format 99/);
  await folder.remove();
});
