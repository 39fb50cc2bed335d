/** Reactions to comments, issues and pull requests. */
import { react } from '../actions/issues.ts';
import { reading, repositoryOperation, writing, type Answer, type RepositoryCall } from '../http/operation.ts';
import { paginate, type Paging } from '../http/paginate.ts';
import { notFound } from '../http/refusal.ts';
import { presentReaction } from '../present/issue.ts';
import type { Reaction, ReactionContent, Repository } from '../state/model.ts';
import type { World } from '../world.ts';
import { requireComment, requireIssue } from './issues.ts';

interface Subject {
  readonly repository: Repository;
  readonly subject: Reaction['subject'];
  readonly subjectId: number;
}

const eitherRead = [reading('issues'), reading('pull_requests')];
const eitherWrite = [writing('issues'), writing('pull_requests')];

/** 200 instead of 201 when the same user reacted so before. */
function create(
  world: World,
  { repository, ...subject }: Subject,
  by: { userId: number; content: ReactionContent },
): Answer {
  const { reaction, isNew } = react(world, { ...subject, ...by, repositoryId: repository.id });
  return { status: isNew ? 201 : 200, body: presentReaction(world, reaction) };
}

interface ListQuery extends Paging {
  readonly content?: ReactionContent | undefined;
}

function list(world: World, { subject, subjectId }: Subject, { query, url }: { query: ListQuery; url: URL }): Answer {
  const all = world.tables.reactions
    .filter((reaction) => reaction.subject === subject && reaction.subjectId === subjectId)
    .filter(({ content }) => query.content === undefined || content === query.content);
  const { items, headers } = paginate(all, query, url);
  return { status: 200, body: items.map((reaction) => presentReaction(world, reaction)), headers };
}

function remove(
  world: World,
  { subject, subjectId }: Subject,
  { reactionId, userId }: { reactionId: number; userId: number },
): Answer {
  const reaction = world.tables.reactions.find(reactionId);
  if (reaction?.subject !== subject || reaction.subjectId !== subjectId || reaction.userId !== userId) throw notFound();
  world.tables.reactions.delete(reactionId);
  return { status: 204 };
}

type CommentParams = RepositoryCall<'reactions/list-for-issue-comment'>['params'];
type IssueParams = RepositoryCall<'reactions/list-for-issue'>['params'];

function ofComment(world: World, repository: Repository, { comment_id }: Pick<CommentParams, 'comment_id'>): Subject {
  return { repository, subject: 'comment', subjectId: requireComment(world, repository, Number(comment_id)).id };
}

function ofIssue(world: World, repository: Repository, { issue_number }: Pick<IssueParams, 'issue_number'>): Subject {
  return { repository, subject: 'issue', subjectId: requireIssue(world, repository, issue_number).id };
}

export const reactionOperations = [
  repositoryOperation('reactions/create-for-issue-comment', eitherWrite, ({ world, repository, params, body, actor }) =>
    create(world, ofComment(world, repository, params), { userId: actor.user.id, content: body.content }),
  ),
  repositoryOperation('reactions/list-for-issue-comment', eitherRead, ({ world, repository, params, query, url }) =>
    list(world, ofComment(world, repository, params), { query, url }),
  ),
  repositoryOperation('reactions/delete-for-issue-comment', eitherWrite, ({ world, repository, params, actor }) =>
    remove(world, ofComment(world, repository, params), { reactionId: params.reaction_id, userId: actor.user.id }),
  ),
  repositoryOperation('reactions/create-for-issue', eitherWrite, ({ world, repository, params, body, actor }) =>
    create(world, ofIssue(world, repository, params), { userId: actor.user.id, content: body.content }),
  ),
  repositoryOperation('reactions/list-for-issue', eitherRead, ({ world, repository, params, query, url }) =>
    list(world, ofIssue(world, repository, params), { query, url }),
  ),
  repositoryOperation('reactions/delete-for-issue', eitherWrite, ({ world, repository, params, actor }) =>
    remove(world, ofIssue(world, repository, params), { reactionId: params.reaction_id, userId: actor.user.id }),
  ),
];
