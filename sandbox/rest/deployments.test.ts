import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refusal, valueAt } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage();
let sha: string;
const repo = () => ({ owner: stage.owner, repo: stage.repo });
const exact = { auto_merge: false, required_contexts: [] as string[] };

beforeAll(async () => {
  const { data } = await stage.octokit.rest.repos.getBranch({ ...repo(), branch: 'main' });
  sha = data.commit.sha;
});

beforeEach(() => {
  stage.receiver.received.length = 0;
});

async function deploy(changes: Record<string, unknown> = {}): Promise<number> {
  const { status, data } = await stage.octokit.rest.repos.createDeployment({
    ...repo(),
    ref: sha,
    ...exact,
    ...changes,
  });
  expect(status).toBe(201);
  return (data as { id: number }).id;
}

async function report(id: number, state: 'success' | 'in_progress' | 'failure' | 'inactive', changes = {}) {
  return stage.octokit.rest.repos.createDeploymentStatus({ ...repo(), deployment_id: id, state, ...changes });
}

async function lastState(id: number): Promise<string | undefined> {
  const { data } = await stage.octokit.rest.repos.listDeploymentStatuses({ ...repo(), deployment_id: id });
  return data[0]?.state;
}

describe('creating a deployment', () => {
  it('resolves a branch, a tag or a SHA, and makes the environment', async () => {
    const id = await deploy({ ref: 'main', environment: 'qa', payload: { release: 7 } });
    const { data } = await stage.octokit.rest.repos.getDeployment({ ...repo(), deployment_id: id });
    expect(data).toMatchObject({ sha, ref: 'main', environment: 'qa', payload: { release: 7 } });
    expect(data.production_environment).toBe(false);
    const environment = await stage.octokit.rest.repos.getEnvironment({ ...repo(), environment_name: 'qa' });
    expect(environment.data.name).toBe('qa');
  });

  it('refuses a ref that does not exist, and options dressed as refs', async () => {
    for (const ref of ['nowhere', '--help', 'main~1', 'main..other', ' '])
      expect(await refusal(deploy({ ref }))).toMatchObject({ status: 422 });
  });

  it('refuses a misspelt property', async () => {
    const { status, data } = await refusal(deploy({ auto_marge: false }));
    expect(status).toBe(422);
    expect(data.message).toContain('"auto_marge" is not a permitted key.');
    expect(data.errors[0]).toMatchObject({ resource: 'Deployment', field: 'auto_marge' });
    expect(data.documentation_url).toMatch(/^https:\/\/docs\.github\.com\//);
  });

  it('P36: defaults merge the default branch into a branch that is behind (202)', async () => {
    const { sandbox, repositoryId } = stage;
    await sandbox.commit({ repositoryId, branch: 'topic', author: 'acme', message: 'Topic', files: { 'a.txt': 'a' } });
    await sandbox.commit({ repositoryId, branch: 'main', author: 'acme', message: 'Ahead', files: { 'b.txt': 'b' } });
    const answer = await stage.octokit.rest.repos.createDeployment({ ...repo(), ref: 'topic' });
    expect(answer.status).toBe(202);
    expect(answer.data).toEqual({ message: 'Auto-merged main into topic on deployment.' });
    await sandbox.deliveries.idle();
    const merge = stage.receiver.named('push').at(-1)!.payload;
    expect(merge).toMatchObject({ ref: 'refs/heads/topic', head_commit: { message: 'Merge main into topic' } });
    expect(await deploy({ ref: 'topic', auto_merge: true })).toBeGreaterThan(0);
  });

  it('P36: defaults refuse a branch that conflicts with the default branch (409)', async () => {
    const { sandbox, repositoryId } = stage;
    const edit = { repositoryId, author: 'acme', message: 'Edit' };
    await sandbox.commit({ ...edit, branch: 'clash', files: { 'README.md': 'mine' } });
    await sandbox.commit({ ...edit, branch: 'main', files: { 'README.md': 'theirs' } });
    const { status, data } = await refusal(stage.octokit.rest.repos.createDeployment({ ...repo(), ref: 'clash' }));
    expect(status).toBe(409);
    expect(data.message).toBe('Conflict merging main into clash.');
  });

  it('P36: defaults ask every reported context to pass (409)', async () => {
    const { sandbox, octokit, repositoryId } = stage;
    const built = await sandbox.commit({
      repositoryId,
      branch: 'ci',
      author: 'acme',
      message: 'CI',
      files: { c: 'c' },
    });
    await octokit.rest.repos.createCommitStatus({ ...repo(), sha: built.sha, state: 'pending', context: 'test' });
    const refused = await refusal(
      octokit.rest.repos.createDeployment({ ...repo(), ref: built.sha, auto_merge: false }),
    );
    expect(refused.status).toBe(409);
    expect(refused.data.errors[0]).toMatchObject({
      field: 'required_contexts',
      contexts: [{ context: 'test', state: 'pending' }],
    });
    await octokit.rest.repos.createCommitStatus({ ...repo(), sha: built.sha, state: 'success', context: 'test' });
    await deploy({ ref: built.sha, required_contexts: undefined });
    const missing = refusal(deploy({ ref: built.sha, required_contexts: ['never reported'] }));
    expect(await missing).toMatchObject({ status: 409 });
  });
});

describe('deployment statuses', () => {
  it('turn older successful deployments of the environment inactive', async () => {
    const first = await deploy({ environment: 'staging' });
    await report(first, 'success');
    const failed = await deploy({ environment: 'staging' });
    await report(failed, 'failure');
    const second = await deploy({ environment: 'staging' });
    await report(second, 'success', { environment_url: 'https://staging.example', log_url: 'https://log.example' });
    expect(await Promise.all([first, failed, second].map(lastState))).toEqual(['inactive', 'failure', 'success']);
    await stage.sandbox.deliveries.idle();
    const states = stage.receiver
      .named('deployment_status.created')
      .map((each) => valueAt(each, 'deployment_status.state'));
    expect(states).toEqual(['success', 'failure', 'success', 'inactive']);
  });

  it('P37: leave production and transient deployments as they are, and auto_inactive can be off', async () => {
    for (const kind of [{ environment: 'production' }, { environment: 'pr-1', transient_environment: true }]) {
      const older = await deploy(kind);
      await report(older, 'success');
      await report(await deploy(kind), 'success');
      expect(await lastState(older)).toBe('success');
    }
    const kept = await deploy({ environment: 'kept' });
    await report(kept, 'success');
    await report(await deploy({ environment: 'kept' }), 'success', { auto_inactive: false });
    expect(await lastState(kept)).toBe('success');
  });

  it('refuse 141 characters, unknown states and links that are none', async () => {
    const id = await deploy({ environment: 'limits' });
    await report(id, 'in_progress', { description: 'x'.repeat(140) });
    const { status, data } = await refusal(report(id, 'in_progress', { description: 'x'.repeat(141) }));
    expect(status).toBe(422);
    expect(data.message).toBe('Validation Failed');
    expect(data.errors[0]).toMatchObject({ resource: 'DeploymentStatus', field: 'description', code: 'custom' });
    expect(await refusal(report(id, 'done' as 'success'))).toMatchObject({ status: 422 });
    expect(await refusal(report(id, 'success', { log_url: 'javascript:alert(1)' }))).toMatchObject({ status: 422 });
  });
});

it('deletes a deployment only when it is inactive or alone', async () => {
  const first = await deploy({ environment: 'brief' });
  await deploy({ environment: 'brief' });
  const remove = () => stage.octokit.rest.repos.deleteDeployment({ ...repo(), deployment_id: first });
  expect(await refusal(remove())).toMatchObject({ status: 422 });
  await report(first, 'inactive');
  expect((await remove()).status).toBe(204);
});

it('lists by environment, newest first, page by page', async () => {
  const ids = [
    await deploy({ environment: 'many' }),
    await deploy({ environment: 'many' }),
    await deploy({ environment: 'many' }),
  ];
  const query = { ...repo(), environment: 'many', per_page: 2 };
  const listed = await stage.octokit.paginate(stage.octokit.rest.repos.listDeployments, query);
  expect(listed.map(({ id }) => id)).toEqual(ids.reverse());
});

it('has no permission to delete environments, as the App has none on GitHub', async () => {
  await deploy({ environment: 'stays' });
  const request = stage.octokit.rest.repos.deleteAnEnvironment({ ...repo(), environment_name: 'stays' });
  expect(await refusal(request)).toMatchObject({ status: 403 });
});
