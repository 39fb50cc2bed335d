import { beforeEach, describe, expect, it } from 'vitest';
import { refusal, tokenOctokit } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage();
let branches = 0;
const repo = () => ({ owner: stage.owner, repo: stage.repo });

beforeEach(() => {
  stage.receiver.received.length = 0;
});

async function push(branch: string, files: Record<string, string>): Promise<string> {
  const { sandbox, repositoryId } = stage;
  return (await sandbox.commit({ repositoryId, branch, author: 'ada', message: `Change ${branch}`, files })).sha;
}

async function openPull(): Promise<{ branch: string; number: number; sha: string }> {
  branches += 1;
  const branch = `feature/${branches}`;
  const sha = await push(branch, { [`${branches}.txt`]: 'work\n' });
  const { data } = await stage.octokit.rest.pulls.create({ ...repo(), title: branch, head: branch, base: 'main' });
  return { branch, number: data.number, sha };
}

async function asOwner() {
  return tokenOctokit(stage.sandbox, (await stage.sandbox.userToken({ login: 'acme' })).token);
}

describe('a pull request', () => {
  it('shows its head, its base and what it changes', async () => {
    const { number, sha, branch } = await openPull();
    const { data } = await stage.octokit.rest.pulls.get({ ...repo(), pull_number: number });
    expect(data).toMatchObject({
      head: { sha, ref: branch },
      base: { ref: 'main' },
      mergeable: true,
      commits: 1,
      additions: 1,
    });
    const files = await stage.octokit.rest.pulls.listFiles({ ...repo(), pull_number: number });
    expect(files.data).toMatchObject([{ filename: `${branches}.txt`, status: 'added', patch: '@@ -0,0 +1 @@\n+work' }]);
    const commits = await stage.octokit.rest.pulls.listCommits({ ...repo(), pull_number: number });
    expect(commits.data.map((commit) => commit.sha)).toEqual([sha]);
  });

  it('follows the pushes to its head and tells of them', async () => {
    const { number, sha, branch } = await openPull();
    const after = await push(branch, { 'more.txt': 'more' });
    await stage.sandbox.deliveries.idle();
    const told = stage.receiver.named('pull_request.synchronize')[0]!;
    expect(told.payload).toMatchObject({ number, before: sha, after, pull_request: { head: { sha: after } } });
    const { data } = await stage.octokit.rest.pulls.get({ ...repo(), pull_number: number });
    expect(data.head.sha).toBe(after);
  });

  it('is refused twice for one branch, from nowhere, and without commits', async () => {
    const { branch } = await openPull();
    const create = (head: string) => stage.octokit.rest.pulls.create({ ...repo(), title: 'x', head, base: 'main' });
    for (const head of [branch, 'nowhere', 'main']) {
      const { status, data } = await refusal(create(head));
      expect(status).toBe(422);
      expect(data.errors[0]).toMatchObject({ resource: 'PullRequest' });
    }
  });

  it('closes, reopens, and closes for good when its branch is deleted', async () => {
    const { number, branch } = await openPull();
    const set = (state: 'open' | 'closed') =>
      stage.octokit.rest.pulls.update({ ...repo(), pull_number: number, state });
    expect((await set('closed')).data.state).toBe('closed');
    expect((await set('open')).data.state).toBe('open');
    await (await asOwner()).rest.git.deleteRef({ ...repo(), ref: `heads/${branch}` });
    expect((await stage.octokit.rest.pulls.get({ ...repo(), pull_number: number })).data.state).toBe('closed');
    await stage.sandbox.deliveries.idle();
    expect(stage.receiver.named('pull_request.closed')).toHaveLength(2);
    expect(stage.receiver.named('pull_request.reopened')).toHaveLength(1);
    expect(stage.receiver.named('delete')).toHaveLength(1);
    expect(stage.receiver.named('push').at(-1)!.payload).toMatchObject({ deleted: true, head_commit: null });
  });
});

describe('merging', () => {
  it.each(['merge', 'squash', 'rebase'] as const)(
    'by %s moves the base and closes the pull request',
    async (method) => {
      const { number, sha } = await openPull();
      const owner = await asOwner();
      const { data } = await owner.rest.pulls.merge({ ...repo(), pull_number: number, merge_method: method });
      const { data: merged } = await owner.rest.pulls.get({ ...repo(), pull_number: number });
      expect(merged).toMatchObject({
        merged: true,
        state: 'closed',
        merge_commit_sha: data.sha,
        merged_by: { login: 'acme' },
      });
      const { data: base } = await owner.rest.repos.getBranch({ ...repo(), branch: 'main' });
      expect(base.commit.sha).toBe(data.sha);
      expect(base.commit.parents.map((parent) => parent.sha).includes(sha)).toBe(method === 'merge');
      await stage.sandbox.deliveries.idle();
      expect(stage.receiver.named('pull_request.closed')[0]!.payload.pull_request.merged).toBe(true);
      expect(stage.receiver.named('push').at(-1)!.payload).toMatchObject({ ref: 'refs/heads/main', after: data.sha });
    },
  );

  it('is refused for another head, for a conflict, and for an App that only reads contents', async () => {
    const { number } = await openPull();
    const owner = await asOwner();
    const stale = owner.rest.pulls.merge({ ...repo(), pull_number: number, sha: 'f'.repeat(40) });
    expect(await refusal(stale)).toMatchObject({ status: 409 });
    const app = stage.octokit.rest.pulls.merge({ ...repo(), pull_number: number });
    expect(await refusal(app)).toMatchObject({ status: 403 });
    await push('clash', { 'README.md': 'mine' });
    const clash = await stage.octokit.rest.pulls.create({ ...repo(), title: 'x', head: 'clash', base: 'main' });
    await push('main', { 'README.md': 'theirs' });
    const conflict = owner.rest.pulls.merge({ ...repo(), pull_number: clash.data.number });
    expect(await refusal(conflict)).toMatchObject({ status: 405 });
    const { data } = await owner.rest.pulls.get({ ...repo(), pull_number: clash.data.number });
    expect(data).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
  });
});

it('lists open pull requests by head', async () => {
  const { branch, number } = await openPull();
  const { data } = await stage.octokit.rest.pulls.list({ ...repo(), head: `acme:${branch}` });
  expect(data.map((each) => each.number)).toEqual([number]);
});
