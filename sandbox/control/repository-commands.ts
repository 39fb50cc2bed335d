/** Control of repositories: what their people would do on github.com. */
import Type from 'typebox';
import {
  commit,
  createRepository,
  deleteRepository,
  renameRepository,
  transferRepository,
} from '../actions/repositories.ts';
import { requestAction, rerequestRun } from '../actions/checks.ts';
import { addComment, editComment, findIssue, openIssue } from '../actions/issues.ts';
import { mergePull, openPull } from '../actions/pulls.ts';
import { closePull } from '../actions/pushes.ts';
import { ensureUser, ImpossibleRequest, issueToken, setRole } from '../actions/users.ts';
import { cloneUrl, repositoryPageUrl } from '../present/repository.ts';
import { isPull, type PullIssue } from '../present/pull.ts';
import type { CheckRun, Issue, Repository } from '../state/model.ts';
import { fullName, installationOf, owner, type World } from '../world.ts';
import { command, files, object, repositoryId, requireRepository, requireUser, text } from './command.ts';

export interface RepositorySummary {
  readonly id: number;
  readonly fullName: string;
  readonly defaultBranch: string;
  readonly cloneUrl: string;
  readonly pageUrl: string;
  readonly installationId: number | null;
}

export function summarize(world: World, repository: Repository): RepositorySummary {
  return {
    id: repository.id,
    fullName: fullName(world, repository),
    defaultBranch: repository.defaultBranch,
    cloneUrl: cloneUrl(world, repository),
    pageUrl: repositoryPageUrl(world, repository),
    installationId: installationOf(world, repository)?.id ?? null,
  };
}

function requireIssue(world: World, repository: Repository, number: number): Issue {
  const issue = findIssue(world, repository, number);
  if (issue === undefined) throw new ImpossibleRequest(`${fullName(world, repository)} has no issue ${number}.`);
  return issue;
}

function requirePull(world: World, input: { repositoryId: number; number: number }): PullIssue {
  const repository = requireRepository(world, input.repositoryId);
  const issue = requireIssue(world, repository, input.number);
  if (!isPull(issue)) throw new ImpossibleRequest(`${fullName(world, repository)}#${input.number} is no pull request.`);
  return issue;
}

function requireRun(world: World, id: number): CheckRun {
  const run = world.tables.checkRuns.find(id);
  if (run === undefined) throw new ImpossibleRequest(`The sandbox has no check run with id ${id}.`);
  return run;
}

const number = Type.Integer({ minimum: 1 });
const role = Type.Union([
  Type.Literal('read'),
  Type.Literal('triage'),
  Type.Literal('write'),
  Type.Literal('maintain'),
  Type.Literal('admin'),
]);

export const repositoryCommands = {
  createRepository: command(
    object({
      owner: text,
      name: text,
      defaultBranch: Type.Optional(text),
      private: Type.Optional(Type.Boolean()),
      files: Type.Optional(files),
    }),
    async (world, input) => summarize(world, await createRepository(world, input)),
  ),
  listRepositories: command(object({}), (world) =>
    world.tables.repositories.all().map((each) => summarize(world, each)),
  ),
  renameRepository: command(object({ repositoryId, name: text }), (world, input) =>
    summarize(world, renameRepository(world, requireRepository(world, input.repositoryId), input.name)),
  ),
  transferRepository: command(object({ repositoryId, owner: text }), (world, input) =>
    summarize(
      world,
      transferRepository(world, requireRepository(world, input.repositoryId), ensureUser(world, input.owner)),
    ),
  ),
  deleteRepository: command(object({ repositoryId }), async (world, input) => {
    await deleteRepository(world, requireRepository(world, input.repositoryId));
    return {};
  }),
  /** Adds a commit as if its author had pushed it; `null` content removes a file. */
  commit: command(
    object({
      repositoryId,
      branch: text,
      from: Type.Optional(text),
      author: text,
      message: text,
      files: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])),
    }),
    async (world, input) => {
      const author = ensureUser(world, input.author);
      return { sha: await commit(world, requireRepository(world, input.repositoryId), { ...input, author }) };
    },
  ),
  /** `null` takes the role away. */
  setRole: command(object({ repositoryId, login: text, role: Type.Union([role, Type.Null()]) }), (world, input) => {
    const user = ensureUser(world, input.login);
    setRole(world, requireRepository(world, input.repositoryId), { user, role: input.role });
    return {};
  }),
  /** What to give `git push` as user and password; the user gets write access when it has less. */
  pushToken: command(object({ repositoryId, login: Type.Optional(text) }), (world, input) => {
    const repository = requireRepository(world, input.repositoryId);
    const account = owner(world, repository);
    const user = ensureUser(world, input.login ?? account.login);
    const granted = repository.collaborators.find(({ userId }) => userId === user.id)?.role;
    if (user.id !== account.id && (granted === undefined || granted === 'read' || granted === 'triage'))
      setRole(world, repository, { user, role: 'write' });
    const password = issueToken(world, user);
    const url = new URL(cloneUrl(world, repository));
    url.username = user.login;
    url.password = password;
    return { username: user.login, password, url: url.href };
  }),
  openPull: command(
    object({
      repositoryId,
      author: text,
      title: text,
      head: text,
      base: Type.Optional(text),
      body: Type.Optional(Type.String()),
      draft: Type.Optional(Type.Boolean()),
    }),
    async (world, input) => {
      const repository = requireRepository(world, input.repositoryId);
      const result = await openPull(world, {
        repository,
        author: ensureUser(world, input.author),
        title: input.title,
        body: input.body ?? null,
        head: input.head,
        base: input.base ?? repository.defaultBranch,
        draft: input.draft ?? false,
      });
      if (result.kind === 'refused') throw new ImpossibleRequest(result.message);
      return { id: result.issue.id, number: result.issue.number, headSha: result.issue.pull.headSha };
    },
  ),
  closePull: command(object({ repositoryId, number, by: text }), async (world, input) => {
    await closePull(world, requirePull(world, input), { sender: requireUser(world, input.by), merged: null });
    return {};
  }),
  mergePull: command(object({ repositoryId, number, by: text }), async (world, input) => {
    const sender = requireUser(world, input.by);
    const merge = { method: 'merge', title: undefined, message: undefined, sender } as const;
    const sha = await mergePull(world, requirePull(world, input), merge);
    if (sha === null) throw new ImpossibleRequest('The pull request conflicts with its base.');
    return { sha };
  }),
  openIssue: command(
    object({ repositoryId, author: text, title: text, body: Type.Optional(Type.String()) }),
    (world, input) => {
      const repository = requireRepository(world, input.repositoryId);
      const author = ensureUser(world, input.author);
      return { number: openIssue(world, { repository, author, title: input.title, body: input.body ?? null }).number };
    },
  ),
  comment: command(object({ repositoryId, number, author: text, body: text }), (world, input) => {
    const issue = requireIssue(world, requireRepository(world, input.repositoryId), input.number);
    const author = ensureUser(world, input.author);
    return { id: addComment(world, { issue, author, body: input.body, byApp: false }).id };
  }),
  editComment: command(object({ commentId: Type.Integer(), by: text, body: text }), (world, input) => {
    const comment = world.tables.comments.find(input.commentId);
    if (comment === undefined) throw new ImpossibleRequest(`The sandbox has no comment with id ${input.commentId}.`);
    editComment(world, comment, { body: input.body, sender: requireUser(world, input.by) });
    return {};
  }),
  /** As the Re-run button does. */
  rerequestCheck: command(object({ checkRunId: Type.Integer(), by: text }), (world, input) => {
    rerequestRun(world, requireRun(world, input.checkRunId), ensureUser(world, input.by));
    return {};
  }),
  /** As a button of the check run's own does. */
  pressCheckButton: command(object({ checkRunId: Type.Integer(), by: text, identifier: text }), (world, input) => {
    const sender = ensureUser(world, input.by);
    const run = requireRun(world, input.checkRunId);
    if (!requestAction(world, run, { identifier: input.identifier, sender }))
      throw new ImpossibleRequest(`The check run offers no button "${input.identifier}".`);
    return {};
  }),
  /** Everything GitHub shows of a repository that the App wrote. */
  inspectRepository: command(object({ repositoryId }), (world, input) => {
    const repository = requireRepository(world, input.repositoryId);
    const ofRepository = (row: { readonly repositoryId: number }) => row.repositoryId === repository.id;
    return {
      repository: summarize(world, repository),
      deployments: world.tables.deployments.filter(ofRepository),
      deploymentStatuses: world.tables.deploymentStatuses.filter(ofRepository),
      checkRuns: world.tables.checkRuns.filter(ofRepository),
      comments: world.tables.comments.filter(ofRepository),
      reactions: world.tables.reactions.filter(ofRepository),
      issues: world.tables.issues.filter(ofRepository),
      environments: world.tables.environments.filter(ofRepository),
    };
  }),
};
