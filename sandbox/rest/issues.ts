/** Issues and comments, of pull requests too. */
import { addComment, deleteComment, editComment, findIssue, openIssue } from '../actions/issues.ts';
import { reading, repositoryOperation, writing, type Answer, type RepositoryCall } from '../http/operation.ts';
import { paginate } from '../http/paginate.ts';
import { notFound, Refusal, validationFailed } from '../http/refusal.ts';
import { presentComment, presentIssue } from '../present/issue.ts';
import type { Comment, Issue, Repository } from '../state/model.ts';
import type { World } from '../world.ts';

export const longestBody = 65_536;
const eitherRead = [reading('issues'), reading('pull_requests')];
const eitherWrite = [writing('issues'), writing('pull_requests')];

export function requireIssue(world: World, repository: Repository, number: number): Issue {
  const issue = findIssue(world, repository, number);
  if (issue === undefined) throw notFound();
  return issue;
}

function requireBody(body: string): void {
  if (body.trim() === '') throw validationFailed({ resource: 'IssueComment', code: 'missing_field', field: 'body' });
  if (body.length > longestBody)
    throw validationFailed({
      resource: 'IssueComment',
      code: 'unprocessable',
      field: 'data',
      message: `Body is too long (maximum is ${longestBody} characters)`,
    });
}

function get({ world, repository, params }: RepositoryCall<'issues/get'>): Answer {
  return { status: 200, body: presentIssue(world, requireIssue(world, repository, params.issue_number)) };
}

function create({ world, repository, actor, body }: RepositoryCall<'issues/create'>): Answer {
  const title = String(body.title);
  if (title.trim() === '') throw validationFailed({ resource: 'Issue', code: 'missing_field', field: 'title' });
  const issue = openIssue(world, { repository, author: actor.user, title, body: body.body ?? null });
  return { status: 201, body: presentIssue(world, issue) };
}

function createComment({ world, repository, params, actor, body }: RepositoryCall<'issues/create-comment'>): Answer {
  const issue = requireIssue(world, repository, params.issue_number);
  requireBody(body.body);
  const byApp = actor.kind === 'installation';
  const comment = addComment(world, { issue, author: actor.user, body: body.body, byApp });
  return { status: 201, body: presentComment(world, comment) };
}

export function requireComment(world: World, repository: Repository, id: number): Comment {
  const comment = world.tables.comments.find(id);
  if (comment?.repositoryId !== repository.id) throw notFound();
  return comment;
}

/** Others' comments take more than permission to write. */
function requireOwn(comment: Comment, { actor, repository }: RepositoryCall<'issues/update-comment'>): void {
  if (comment.authorId === actor.user.id || actor.kind === 'installation') return;
  if (repository.ownerId !== actor.user.id) throw new Refusal(403, 'Must have admin rights to Repository.');
}

function getComment({ world, repository, params }: RepositoryCall<'issues/get-comment'>): Answer {
  return { status: 200, body: presentComment(world, requireComment(world, repository, Number(params.comment_id))) };
}

function updateComment(call: RepositoryCall<'issues/update-comment'>): Answer {
  const { world, repository, params, actor, body } = call;
  const comment = requireComment(world, repository, Number(params.comment_id));
  requireOwn(comment, call);
  requireBody(body.body);
  return {
    status: 200,
    body: presentComment(world, editComment(world, comment, { body: body.body, sender: actor.user })),
  };
}

function removeComment({ world, repository, params, actor }: RepositoryCall<'issues/delete-comment'>): Answer {
  deleteComment(world, requireComment(world, repository, Number(params.comment_id)), actor.user);
  return { status: 204 };
}

function since(comments: readonly Comment[], time: string | undefined): Comment[] {
  const oldest = time === undefined ? 0 : Date.parse(time);
  return comments.filter(({ updatedAt }) => updatedAt >= oldest);
}

function listComments({ world, repository, params, query, url }: RepositoryCall<'issues/list-comments'>): Answer {
  const { number } = requireIssue(world, repository, params.issue_number);
  const all = world.tables.comments.filter(
    (comment) => comment.repositoryId === repository.id && comment.issueNumber === number,
  );
  const { items, headers } = paginate(since(all, query.since), query, url);
  return { status: 200, body: items.map((comment) => presentComment(world, comment)), headers };
}

function listAllComments({ world, repository, query, url }: RepositoryCall<'issues/list-comments-for-repo'>): Answer {
  const all = since(
    world.tables.comments.filter(({ repositoryId }) => repositoryId === repository.id),
    query.since,
  );
  const column = query.sort === 'updated' ? 'updatedAt' : 'createdAt';
  const sign = query.direction === 'desc' ? -1 : 1;
  const ordered = all.sort((a, b) => sign * (a[column] - b[column] || a.id - b.id));
  const { items, headers } = paginate(ordered, query, url);
  return { status: 200, body: items.map((comment) => presentComment(world, comment)), headers };
}

export const issueOperations = [
  repositoryOperation('issues/get', eitherRead, get),
  repositoryOperation('issues/create', writing('issues'), create),
  repositoryOperation('issues/create-comment', eitherWrite, createComment),
  repositoryOperation('issues/get-comment', eitherRead, getComment),
  repositoryOperation('issues/update-comment', eitherWrite, updateComment),
  repositoryOperation('issues/delete-comment', eitherWrite, removeComment),
  repositoryOperation('issues/list-comments', eitherRead, listComments),
  repositoryOperation('issues/list-comments-for-repo', eitherRead, listAllComments),
];
