/** Gathers what the page of a repository shows. */
import { listCommits, type Commit } from '../git/commits.ts';
import { branchPrefix } from '../git/refs.ts';
import { roleOf } from '../http/access.ts';
import { statusesOf } from '../actions/deployments.ts';
import { isPull, type PullIssue } from '../present/pull.ts';
import { cloneUrl } from '../present/repository.ts';
import type {
  CheckRun,
  Comment,
  Deployment,
  DeploymentStatus,
  Reaction,
  Repository,
  Role,
  User,
} from '../state/model.ts';
import { fullName, type World } from '../world.ts';

const commitsShown = 25;
const deploymentsShown = 12;
const checksShown = 12;

export interface CommentView {
  readonly comment: Comment;
  readonly author: User;
  readonly reactions: readonly Reaction[];
}

export interface PullView {
  readonly issue: PullIssue;
  readonly author: User;
  readonly comments: readonly CommentView[];
}

export interface DeploymentView {
  readonly deployment: Deployment;
  readonly creator: User;
  /** Newest first. */
  readonly statuses: readonly DeploymentStatus[];
}

export interface Branch {
  readonly name: string;
  readonly sha: string;
}

export interface RepositoryView {
  readonly repository: Repository;
  readonly fullName: string;
  readonly cloneUrl: string;
  readonly visitor: User;
  readonly visitorRole: Role | null;
  readonly people: readonly User[];
  readonly commits: readonly Commit[];
  readonly branches: readonly Branch[];
  readonly pulls: readonly PullView[];
  readonly deployments: readonly DeploymentView[];
  readonly checks: readonly CheckRun[];
  readonly now: number;
}

function commentsOf(world: World, issue: PullIssue): CommentView[] {
  return world.tables.comments
    .filter(({ repositoryId, issueNumber }) => repositoryId === issue.repositoryId && issueNumber === issue.number)
    .map((comment) => ({
      comment,
      author: world.tables.users.get(comment.authorId),
      reactions: world.tables.reactions.filter(
        ({ subject, subjectId }) => subject === 'comment' && subjectId === comment.id,
      ),
    }));
}

function pullsOf(world: World, repository: Repository): PullView[] {
  const pulls = world.tables.issues.filter(({ repositoryId }) => repositoryId === repository.id).filter(isPull);
  const open = (issue: PullIssue) => Number(issue.state === 'open');
  return pulls
    .sort((a, b) => open(b) - open(a) || b.number - a.number)
    .map((issue) => ({
      issue,
      author: world.tables.users.get(issue.authorId),
      comments: commentsOf(world, issue),
    }));
}

function deploymentsOf(world: World, repository: Repository): DeploymentView[] {
  return world.tables.deployments
    .filter(({ repositoryId }) => repositoryId === repository.id)
    .slice(-deploymentsShown)
    .reverse()
    .map((deployment) => ({
      deployment,
      creator: world.tables.users.get(deployment.creatorId),
      statuses: statusesOf(world, deployment).reverse(),
    }));
}

export function peopleOf(world: World): User[] {
  return world.tables.users.filter(({ type }) => type === 'User');
}

export async function repositoryView(world: World, repository: Repository, visitor: User): Promise<RepositoryView> {
  const refs = await world.git.refs(repository.id);
  const branches = [...refs]
    .filter(([ref]) => ref.startsWith(branchPrefix))
    .map(([ref, sha]) => ({ name: ref.slice(branchPrefix.length), sha }));
  const shas = [...new Set(branches.map(({ sha }) => sha))];
  const directory = world.git.directory(repository.id);
  return {
    repository,
    fullName: fullName(world, repository),
    cloneUrl: cloneUrl(world, repository),
    visitor,
    visitorRole: roleOf(world, repository, visitor),
    people: peopleOf(world),
    commits: shas.length === 0 ? [] : await listCommits(directory, { revisions: shas, limit: commitsShown }),
    branches,
    pulls: pullsOf(world, repository),
    deployments: deploymentsOf(world, repository),
    checks: world.tables.checkRuns
      .filter(({ repositoryId }) => repositoryId === repository.id)
      .slice(-checksShown)
      .reverse(),
    now: world.now(),
  };
}
