/** Issues, comments and reactions: made, changed and deleted, each with its webhook. */
import { presentComment, presentIssue } from '../present/issue.ts';
import type { Comment, Issue, Reaction, Repository, User } from '../state/model.ts';
import { emit } from '../webhooks/emit.ts';
import type { World } from '../world.ts';

export function findIssue(world: World, repository: Repository, number: number): Issue | undefined {
  return world.tables.issues.first((issue) => issue.repositoryId === repository.id && issue.number === number);
}

/** Issues and pull requests of a repository share one sequence. */
export function nextIssueNumber(world: World, repository: Repository): number {
  const { lastIssueNumber } = world.tables.repositories.get(repository.id);
  world.tables.repositories.update(repository.id, { lastIssueNumber: lastIssueNumber + 1 });
  return lastIssueNumber + 1;
}

export interface NewIssue {
  readonly repository: Repository;
  readonly author: User;
  readonly title: string;
  readonly body: string | null;
}

export function openIssue(world: World, { repository, author, title, body }: NewIssue): Issue {
  const now = world.now();
  const issue = world.tables.issues.insert({
    repositoryId: repository.id,
    number: nextIssueNumber(world, repository),
    title,
    body,
    authorId: author.id,
    state: 'open',
    closedAt: null,
    createdAt: now,
    updatedAt: now,
    pull: null,
  });
  emit(world, { name: 'issues-opened', repository, sender: author, subject: { issue: presentIssue(world, issue) } });
  return issue;
}

export interface NewComment {
  readonly issue: Issue;
  readonly author: User;
  readonly body: string;
  readonly byApp: boolean;
}

export function addComment(world: World, { issue, author, body, byApp }: NewComment): Comment {
  const now = world.now();
  const comment = world.tables.comments.insert({
    repositoryId: issue.repositoryId,
    issueNumber: issue.number,
    body,
    authorId: author.id,
    byApp,
    createdAt: now,
    updatedAt: now,
  });
  emitComment(world, comment, { name: 'issue-comment-created', sender: author, extra: {} });
  return comment;
}

export function editComment(world: World, comment: Comment, edit: { body: string; sender: User }): Comment {
  const edited = world.tables.comments.update(comment.id, { body: edit.body, updatedAt: world.now() });
  const extra = { changes: { body: { from: comment.body } } };
  emitComment(world, edited, { name: 'issue-comment-edited', sender: edit.sender, extra });
  return edited;
}

export function deleteComment(world: World, comment: Comment, sender: User): void {
  emitComment(world, comment, { name: 'issue-comment-deleted', sender, extra: {} });
  world.tables.reactions.deleteWhere(({ subject, subjectId }) => subject === 'comment' && subjectId === comment.id);
  world.tables.comments.delete(comment.id);
}

interface CommentEvent {
  readonly name: 'issue-comment-created' | 'issue-comment-edited' | 'issue-comment-deleted';
  readonly sender: User;
  readonly extra: Readonly<Record<string, unknown>>;
}

function emitComment(world: World, comment: Comment, { name, sender, extra }: CommentEvent): void {
  const repository = world.tables.repositories.get(comment.repositoryId);
  const issue = findIssue(world, repository, comment.issueNumber);
  if (issue === undefined) throw new Error(`Comment ${comment.id} belongs to no issue.`);
  const subject = { ...extra, issue: presentIssue(world, issue), comment: presentComment(world, comment) };
  emit(world, { name, repository, sender, subject });
}

export type NewReaction = Omit<Reaction, 'id' | 'createdAt'>;

/** The same reaction of the same user is answered, not doubled. */
export function react(world: World, reaction: NewReaction): { reaction: Reaction; isNew: boolean } {
  const known = world.tables.reactions.first(
    (each) =>
      each.subject === reaction.subject &&
      each.subjectId === reaction.subjectId &&
      each.userId === reaction.userId &&
      each.content === reaction.content,
  );
  if (known !== undefined) return { reaction: known, isNew: false };
  return { reaction: world.tables.reactions.insert({ ...reaction, createdAt: world.now() }), isNew: true };
}
