import { beforeAll, describe, expect, it } from 'vitest';
import { installationOctokit, refusal, tokenOctokit } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage();
let number: number;
const repo = () => ({ owner: stage.owner, repo: stage.repo });

beforeAll(async () => {
  const { repositoryId, sandbox } = stage;
  await sandbox.commit({ repositoryId, branch: 'feature', author: 'acme', message: 'Work', files: { 'a.txt': 'a' } });
  number = (await sandbox.openPull({ repositoryId, author: 'acme', title: 'Feature', head: 'feature' })).number;
});

async function comment(body: string) {
  return (await stage.octokit.rest.issues.createComment({ ...repo(), issue_number: number, body })).data;
}

describe('comments', () => {
  it('are written by the App as a bot, edited, listed and deleted', async () => {
    const { id, user, performed_via_github_app } = await comment('first');
    expect(user).toMatchObject({ login: 'landfall[bot]', type: 'Bot' });
    expect(performed_via_github_app).toMatchObject({ slug: 'landfall' });
    const edited = await stage.octokit.rest.issues.updateComment({ ...repo(), comment_id: id, body: 'second' });
    expect(edited.data.body).toBe('second');
    const listed = await stage.octokit.rest.issues.listComments({ ...repo(), issue_number: number });
    expect(listed.data.map(({ body }) => body)).toEqual(['second']);
    await stage.octokit.rest.issues.deleteComment({ ...repo(), comment_id: id });
    expect(await refusal(stage.octokit.rest.issues.getComment({ ...repo(), comment_id: id }))).toMatchObject({
      status: 404,
    });
    await stage.sandbox.deliveries.idle();
    const events = stage.receiver.received.filter(({ payload }) => payload.comment?.id === id);
    expect(new Set(events.map(({ event }) => event))).toEqual(
      new Set(['issue_comment.created', 'issue_comment.edited', 'issue_comment.deleted']),
    );
    const edit = events.find(({ event }) => event === 'issue_comment.edited')!;
    expect(edit.payload.changes.body.from).toBe('first');
  });

  it('take 65,536 characters and no more, and are never blank', async () => {
    expect((await comment('x'.repeat(65_536))).body).toHaveLength(65_536);
    const { status, data } = await refusal(comment('x'.repeat(65_537)));
    expect(status).toBe(422);
    expect(data).toMatchObject({ message: 'Validation Failed', errors: [{ resource: 'IssueComment', field: 'data' }] });
    expect(await refusal(comment(' \n'))).toMatchObject({ status: 422 });
  });

  it('of a person tell the App who wrote them, where and with what association', async () => {
    const { sandbox, repositoryId, receiver } = stage;
    await sandbox.setRole({ repositoryId, login: 'grace', role: 'write' });
    const { id } = await sandbox.comment({ repositoryId, number, author: 'grace', body: '/deploy staging' });
    await sandbox.deliveries.idle();
    const told = receiver.received.find(({ payload }) => payload.comment?.id === id)!;
    expect(told.payload).toMatchObject({
      action: 'created',
      issue: { number, pull_request: { url: `${sandbox.apiUrl}/repos/acme/shop/pulls/${number}` } },
      comment: { body: '/deploy staging', author_association: 'COLLABORATOR', performed_via_github_app: null },
      sender: { login: 'grace', type: 'User' },
      repository: { id: repositoryId },
      installation: { id: stage.installationId },
    });
  });

  it('of plain issues carry no pull request', async () => {
    const { sandbox, repositoryId, receiver } = stage;
    const issue = await sandbox.openIssue({ repositoryId, author: 'ada', title: 'A question' });
    const { id } = await sandbox.comment({ repositoryId, number: issue.number, author: 'ada', body: '/deploy' });
    await sandbox.deliveries.idle();
    const told = receiver.received.find(({ payload }) => payload.comment?.id === id)!;
    expect(told.payload.issue).not.toHaveProperty('pull_request');
  });

  it('of others cannot be edited by a person without the right', async () => {
    const { id } = await comment('the bot’s');
    const { token } = await stage.sandbox.userToken({ login: 'grace' });
    const grace = tokenOctokit(stage.sandbox, token);
    const request = grace.rest.issues.updateComment({ ...repo(), comment_id: id, body: 'mine' });
    expect(await refusal(request)).toMatchObject({ status: 403 });
  });
});

describe('reactions', () => {
  it('are given once by each user', async () => {
    const { id } = await comment('/deploy');
    const react = () =>
      stage.octokit.rest.reactions.createForIssueComment({ ...repo(), comment_id: id, content: 'eyes' });
    const first = await react();
    const again = await react();
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.data.id).toBe(first.data.id);
    const { data } = await stage.octokit.rest.issues.getComment({ ...repo(), comment_id: id });
    expect(data.reactions).toMatchObject({ total_count: 1, eyes: 1 });
  });

  it('of an unknown kind are refused', async () => {
    const { id } = await comment('hm');
    const request = { ...repo(), comment_id: id, content: 'shrug' as 'eyes' };
    expect(await refusal(stage.octokit.rest.reactions.createForIssueComment(request))).toMatchObject({ status: 422 });
  });
});

describe('permissions of people', () => {
  const level = async (username: string) =>
    (await stage.octokit.rest.repos.getCollaboratorPermissionLevel({ ...repo(), username })).data;

  it('are what the repository’s owner gave', async () => {
    const { sandbox, repositoryId } = stage;
    for (const role of ['read', 'triage', 'maintain'] as const)
      await sandbox.setRole({ repositoryId, login: `has-${role}`, role });
    expect(await level('acme')).toMatchObject({ permission: 'admin', role_name: 'admin' });
    expect(await level('has-read')).toMatchObject({ permission: 'read', role_name: 'read' });
    expect(await level('has-triage')).toMatchObject({ permission: 'read', role_name: 'triage' });
    expect(await level('has-maintain')).toMatchObject({ permission: 'write', role_name: 'maintain' });
  });

  it('are none for a stranger to a private repository, and 404 for nobody', async () => {
    await stage.sandbox.createUser({ login: 'stranger' });
    expect(await level('stranger')).toMatchObject({ permission: 'none' });
    expect(await refusal(level('nobody'))).toMatchObject({ status: 404 });
  });

  it('come with a team of the organization', async () => {
    const { sandbox } = stage;
    await sandbox.createUser({ login: 'initech', type: 'Organization' });
    const { installationId } = await sandbox.createRepository({ owner: 'initech', name: 'tps' });
    await sandbox.setTeam({ organization: 'initech', slug: 'ops', members: ['peter'] });
    const app = installationOctokit(sandbox, installationId!);
    const query = { org: 'initech', team_slug: 'ops' };
    expect((await app.rest.teams.listMembersInOrg(query)).data.map(({ login }) => login)).toEqual(['peter']);
    expect((await app.rest.teams.getByName(query)).data.members_count).toBe(1);
    const membership = await app.rest.teams.getMembershipForUserInOrg({ ...query, username: 'peter' });
    expect(membership.data.state).toBe('active');
    const other = app.rest.teams.getMembershipForUserInOrg({ ...query, username: 'acme' });
    expect(await refusal(other)).toMatchObject({ status: 404 });
  });
});
