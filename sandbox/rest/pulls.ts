/** Pull requests. */
import { findIssue } from '../actions/issues.ts';
import { editPull, mergePull, openPull, reopenPull } from '../actions/pulls.ts';
import { closePull } from '../actions/pushes.ts';
import { listCommits } from '../git/commits.ts';
import { diffFiles, textDiff } from '../git/diff.ts';
import {
  reading,
  repositoryOperation,
  writing,
  type Answer,
  type Call,
  type RepositoryCall,
} from '../http/operation.ts';
import { paginate } from '../http/paginate.ts';
import { notFound, Refusal, validationFailed } from '../http/refusal.ts';
import { presentCommit, presentFile } from '../present/commit.ts';
import { isPull, presentPull, presentPullSimple, pullBase, type PullIssue } from '../present/pull.ts';
import type { Repository } from '../state/model.ts';
import { owner, type World } from '../world.ts';

function requirePull(world: World, repository: Repository, number: number): PullIssue {
  const issue = findIssue(world, repository, number);
  if (issue === undefined || !isPull(issue)) throw notFound();
  return issue;
}

async function create({ world, repository, actor, body }: RepositoryCall<'pulls/create'>): Promise<Answer> {
  if (body.title === undefined)
    throw validationFailed({ resource: 'PullRequest', code: 'missing_field', field: 'title' });
  const { title, head, base } = body;
  const result = await openPull(world, {
    repository,
    author: actor.user,
    title,
    body: body.body ?? null,
    head,
    base,
    draft: body.draft ?? false,
  });
  if (result.kind === 'refused')
    throw validationFailed({ resource: 'PullRequest', code: 'invalid', field: result.field, message: result.message });
  return { status: 201, body: await presentPull(world, result.issue) };
}

async function get({ world, repository, params, accept }: RepositoryCall<'pulls/get'>): Promise<Answer> {
  const issue = requirePull(world, repository, params.pull_number);
  if (accept.includes('.diff') || accept.includes('.patch')) {
    const base = await pullBase(world, issue);
    return { status: 200, body: await textDiff(world.git.directory(repository.id), base, issue.pull.headSha) };
  }
  return { status: 200, body: await presentPull(world, issue) };
}

type ListQuery = Call<'pulls/list'>['query'];

function matchesList(world: World, issue: PullIssue, { state = 'open', head, base }: ListQuery): boolean {
  const headRepository = world.tables.repositories.get(issue.pull.headRepositoryId);
  const label = `${owner(world, headRepository).login}:${issue.pull.headRef}`;
  return (
    (state === 'all' || issue.state === state) &&
    (head === undefined || head === label) &&
    (base === undefined || base === issue.pull.baseRef)
  );
}

function list({ world, repository, query, url }: RepositoryCall<'pulls/list'>): Answer {
  const column = query.sort === 'updated' ? 'updatedAt' : 'createdAt';
  const descending =
    query.direction === undefined ? query.sort === undefined || query.sort === 'created' : query.direction === 'desc';
  const sign = descending ? -1 : 1;
  const matching = world.tables.issues
    .filter(({ repositoryId }) => repositoryId === repository.id)
    .filter(isPull)
    .filter((issue) => matchesList(world, issue, query))
    .sort((a, b) => sign * (a[column] - b[column] || a.number - b.number));
  const { items, headers } = paginate(matching, query, url);
  return { status: 200, body: items.map((issue) => presentPullSimple(world, issue)), headers };
}

async function update({ world, repository, params, body, actor }: RepositoryCall<'pulls/update'>): Promise<Answer> {
  const issue = requirePull(world, repository, params.pull_number);
  const sender = actor.user;
  if (body?.base !== undefined && body.base !== issue.pull.baseRef)
    throw new Refusal(422, 'The sandbox does not change the base of a pull request.');
  const edited = await editPull(world, issue, { title: body?.title, body: body?.body, sender });
  if (body?.state === 'closed' && edited.state === 'open')
    return { status: 200, body: await presentPull(world, await closePull(world, edited, { sender, merged: null })) };
  if (body?.state === 'open' && edited.state === 'closed') {
    if (edited.pull.merged !== null)
      throw validationFailed({
        resource: 'PullRequest',
        code: 'invalid',
        field: 'state',
        message: 'state cannot be changed. The pull request is merged.',
      });
    return { status: 200, body: await presentPull(world, await reopenPull(world, edited, sender)) };
  }
  return { status: 200, body: await presentPull(world, edited) };
}

async function listFiles({
  world,
  repository,
  params,
  query,
  url,
}: RepositoryCall<'pulls/list-files'>): Promise<Answer> {
  const issue = requirePull(world, repository, params.pull_number);
  const { headSha } = issue.pull;
  const files = await diffFiles(world.git.directory(repository.id), await pullBase(world, issue), headSha);
  const { items, headers } = paginate(files, query, url);
  return { status: 200, body: items.map((file) => presentFile(world, { repository, headSha, file })), headers };
}

async function listPullCommits(call: RepositoryCall<'pulls/list-commits'>): Promise<Answer> {
  const { world, repository, params, query, url } = call;
  const issue = requirePull(world, repository, params.pull_number);
  const revisions = [issue.pull.headSha, `^${await pullBase(world, issue)}`];
  const commits = await listCommits(world.git.directory(repository.id), { revisions, limit: 250 });
  const { items, headers } = paginate(commits.reverse(), query, url);
  return { status: 200, body: items.map((commit) => presentCommit(world, repository, commit)), headers };
}

async function merge({ world, repository, params, body, actor }: RepositoryCall<'pulls/merge'>): Promise<Answer> {
  const issue = requirePull(world, repository, params.pull_number);
  if (body?.sha !== undefined && body.sha !== issue.pull.headSha)
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
  if (issue.state === 'closed' || issue.pull.draft) throw new Refusal(405, 'Pull Request is not mergeable');
  const sha = await mergePull(world, issue, {
    method: body?.merge_method ?? 'merge',
    title: body?.commit_title,
    message: body?.commit_message,
    sender: actor.user,
  });
  if (sha === null) throw new Refusal(405, 'Pull Request has merge conflicts');
  return { status: 200, body: { sha, merged: true, message: 'Pull Request successfully merged' } };
}

function checkMerged({ world, repository, params }: RepositoryCall<'pulls/check-if-merged'>): Answer {
  if (requirePull(world, repository, params.pull_number).pull.merged === null) throw notFound();
  return { status: 204 };
}

export const pullOperations = [
  repositoryOperation('pulls/create', writing('pull_requests'), create),
  repositoryOperation('pulls/get', reading('pull_requests'), get),
  repositoryOperation('pulls/list', reading('pull_requests'), list),
  repositoryOperation('pulls/update', writing('pull_requests'), update),
  repositoryOperation('pulls/list-files', reading('pull_requests'), listFiles),
  repositoryOperation('pulls/list-commits', reading('pull_requests'), listPullCommits),
  repositoryOperation('pulls/merge', writing('contents'), merge),
  repositoryOperation('pulls/check-if-merged', reading('pull_requests'), checkMerged),
];
