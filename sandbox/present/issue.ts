/** Issues, comments and reactions as the REST API shows them. */
import type { components } from '@octokit/openapi-types';
import { roleOf } from '../http/access.ts';
import type { Comment, Issue, Reaction, ReactionContent, Repository, User } from '../state/model.ts';
import type { World } from '../world.ts';
import { presentApp } from './app.ts';
import { repositoryApiUrl, repositoryPageUrl } from './repository.ts';
import { iso, isoOrNull, nodeId } from './time.ts';
import { presentUser } from './user.ts';

type Schemas = components['schemas'];

export function association(world: World, repository: Repository, user: User): Schemas['author-association'] {
  if (user.id === repository.ownerId) return 'OWNER';
  const isMember = world.tables.teams.first(
    (team) => team.organizationId === repository.ownerId && team.memberIds.includes(user.id),
  );
  if (isMember !== undefined) return 'MEMBER';
  const granted = repository.collaborators.some(({ userId }) => userId === user.id);
  return granted && roleOf(world, repository, user) !== null ? 'COLLABORATOR' : 'NONE';
}

export function rollup(
  world: World,
  subject: Reaction['subject'],
  subjectId: number,
  url: string,
): Schemas['reaction-rollup'] {
  const reactions = world.tables.reactions.filter(
    (reaction) => reaction.subject === subject && reaction.subjectId === subjectId,
  );
  const count = (content: ReactionContent) => reactions.filter((reaction) => reaction.content === content).length;
  return {
    url: `${url}/reactions`,
    total_count: reactions.length,
    '+1': count('+1'),
    '-1': count('-1'),
    laugh: count('laugh'),
    confused: count('confused'),
    heart: count('heart'),
    hooray: count('hooray'),
    eyes: count('eyes'),
    rocket: count('rocket'),
  };
}

export function issuePageUrl(world: World, repository: Repository, issue: Issue): string {
  return `${repositoryPageUrl(world, repository)}/${issue.pull === null ? 'issues' : 'pull'}/${issue.number}`;
}

export function presentIssue(world: World, issue: Issue) {
  const repository = world.tables.repositories.get(issue.repositoryId);
  const api = repositoryApiUrl(world, repository);
  const url = `${api}/issues/${issue.number}`;
  const author = world.tables.users.get(issue.authorId);
  const pullUrl = `${repositoryPageUrl(world, repository)}/pull/${issue.number}`;
  const comments = world.tables.comments.filter(
    (comment) => comment.repositoryId === issue.repositoryId && comment.issueNumber === issue.number,
  );
  return {
    id: issue.id,
    node_id: nodeId('Issue', issue.id),
    url,
    repository_url: api,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: issuePageUrl(world, repository, issue),
    number: issue.number,
    state: issue.state,
    state_reason: null,
    title: issue.title,
    body: issue.body,
    user: presentUser(world, author),
    labels: [],
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    active_lock_reason: null,
    comments: comments.length,
    closed_at: isoOrNull(issue.closedAt),
    created_at: iso(issue.createdAt),
    updated_at: iso(issue.updatedAt),
    author_association: association(world, repository, author),
    reactions: rollup(world, 'issue', issue.id, url),
    performed_via_github_app: null,
    ...(issue.pull === null
      ? {}
      : {
          draft: issue.pull.draft,
          pull_request: {
            url: `${api}/pulls/${issue.number}`,
            html_url: pullUrl,
            diff_url: `${pullUrl}.diff`,
            patch_url: `${pullUrl}.patch`,
            merged_at: isoOrNull(issue.pull.merged?.at ?? null),
          },
        }),
  } satisfies Schemas['issue'];
}

export function presentComment(world: World, comment: Comment) {
  const repository = world.tables.repositories.get(comment.repositoryId);
  const api = repositoryApiUrl(world, repository);
  const url = `${api}/issues/comments/${comment.id}`;
  const author = world.tables.users.get(comment.authorId);
  const issue = world.tables.issues.first(
    (each) => each.repositoryId === comment.repositoryId && each.number === comment.issueNumber,
  );
  const kind = issue?.pull === null ? 'issues' : 'pull';
  return {
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    url,
    html_url: `${repositoryPageUrl(world, repository)}/${kind}/${comment.issueNumber}#issuecomment-${comment.id}`,
    issue_url: `${api}/issues/${comment.issueNumber}`,
    body: comment.body,
    user: presentUser(world, author),
    created_at: iso(comment.createdAt),
    updated_at: iso(comment.updatedAt),
    author_association: association(world, repository, author),
    performed_via_github_app: comment.byApp ? presentApp(world) : null,
    reactions: rollup(world, 'comment', comment.id, url),
  } satisfies Schemas['issue-comment'];
}

export function presentReaction(world: World, reaction: Reaction): Schemas['reaction'] {
  return {
    id: reaction.id,
    node_id: nodeId('Reaction', reaction.id),
    user: presentUser(world, world.tables.users.get(reaction.userId)),
    content: reaction.content,
    created_at: iso(reaction.createdAt),
  };
}
