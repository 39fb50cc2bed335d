/** Commit statuses, and which of them block a deployment. */
import type { components } from '@octokit/openapi-types';
import { readCommit } from '../git/commits.ts';
import { branchPrefix } from '../git/refs.ts';
import { reading, repositoryOperation, writing, type Answer, type RepositoryCall } from '../http/operation.ts';
import { paginate } from '../http/paginate.ts';
import { Refusal, tooLong } from '../http/refusal.ts';
import { presentCommit } from '../present/commit.ts';
import { presentRepository, repositoryApiUrl } from '../present/repository.ts';
import { iso, nodeId } from '../present/time.ts';
import { presentUser } from '../present/user.ts';
import type { CommitStatus, Repository, User } from '../state/model.ts';
import { emit } from '../webhooks/emit.ts';
import { fullName, type World } from '../world.ts';
import { requireCommit } from './commits.ts';

type Schemas = components['schemas'];

const longestDescription = 140;
const mostPerContext = 1000;

function statusesFor(world: World, repository: Repository, sha: string): CommitStatus[] {
  return world.tables.commitStatuses.filter((status) => status.repositoryId === repository.id && status.sha === sha);
}

/** The last word of each context, oldest context first. */
function latestByContext(statuses: readonly CommitStatus[]): CommitStatus[] {
  return [...new Map(statuses.map((status) => [status.context, status])).values()];
}

export interface ContextQuestion {
  readonly repository: Repository;
  readonly sha: string;
  /** `null`: every context that was reported. */
  readonly required: readonly string[] | null;
}

/** Contexts of statuses and check runs that are not (yet) a success. */
export function blockingContexts(world: World, { repository, sha, required }: ContextQuestion) {
  const states = new Map<string, string>();
  for (const { context, state } of latestByContext(statusesFor(world, repository, sha))) states.set(context, state);
  const runs = world.tables.checkRuns.filter((run) => run.repositoryId === repository.id && run.headSha === sha);
  for (const run of runs) states.set(run.name, run.conclusion ?? 'pending');
  const passed = new Set(['success', 'neutral', 'skipped']);
  const asked = required ?? [...states.keys()];
  return asked
    .map((context) => ({ context, state: states.get(context) ?? 'pending' }))
    .filter(({ state }) => !passed.has(state));
}

function presentSimple(world: World, status: CommitStatus, repository: Repository) {
  return {
    url: `${repositoryApiUrl(world, repository)}/statuses/${status.sha}`,
    avatar_url: presentUser(world, world.tables.users.get(status.creatorId)).avatar_url,
    id: status.id,
    node_id: nodeId('StatusContext', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: iso(status.createdAt),
    updated_at: iso(status.createdAt),
  };
}

function present(world: World, status: CommitStatus, repository: Repository): Schemas['status'] {
  const creator = presentUser(world, world.tables.users.get(status.creatorId));
  return { ...presentSimple(world, status, repository), creator };
}

async function emitStatus(world: World, status: CommitStatus, sender: User): Promise<void> {
  const repository = world.tables.repositories.get(status.repositoryId);
  const commit = await readCommit(world.git.directory(repository.id), status.sha);
  const api = repositoryApiUrl(world, repository);
  const branches = [...(await world.git.refs(repository.id))]
    .filter(([ref, sha]) => ref.startsWith(branchPrefix) && sha === status.sha)
    .map(([ref, sha]) => ({
      name: ref.slice(branchPrefix.length),
      commit: { sha, url: `${api}/commits/${sha}` },
      protected: false,
    }));
  const { id, state, description, target_url, context, created_at, updated_at } = presentSimple(
    world,
    status,
    repository,
  );
  const subject = {
    id,
    sha: status.sha,
    name: fullName(world, repository),
    state,
    description,
    target_url,
    context,
    commit: presentCommit(world, repository, commit),
    branches,
    created_at,
    updated_at,
  };
  emit(world, { name: 'status', repository, sender, subject });
}

async function create(call: RepositoryCall<'repos/create-commit-status'>): Promise<Answer> {
  const { world, repository, params, body, actor } = call;
  const sha = await requireCommit(world, repository, params.sha);
  const context = body.context ?? 'default';
  if ((body.description ?? '').length > longestDescription) throw tooLong('Status', 'description', longestDescription);
  if (statusesFor(world, repository, sha).filter((status) => status.context === context).length >= mostPerContext)
    throw new Refusal(422, 'This SHA and context has reached the maximum number of statuses.');
  const status = world.tables.commitStatuses.insert({
    repositoryId: repository.id,
    sha,
    state: body.state,
    context,
    description: body.description ?? null,
    targetUrl: body.target_url ?? null,
    creatorId: actor.user.id,
    createdAt: world.now(),
  });
  await emitStatus(world, status, actor.user);
  return { status: 201, body: present(world, status, repository) };
}

async function list(call: RepositoryCall<'repos/list-commit-statuses-for-ref'>): Promise<Answer> {
  const { world, repository, params, query, url } = call;
  const sha = await requireCommit(world, repository, params.ref);
  const { items, headers } = paginate(statusesFor(world, repository, sha).reverse(), query, url);
  return { status: 200, body: items.map((status) => present(world, status, repository)), headers };
}

export function combinedState(statuses: readonly CommitStatus[]): 'failure' | 'pending' | 'success' {
  if (statuses.some(({ state }) => state === 'error' || state === 'failure')) return 'failure';
  return statuses.length === 0 || statuses.some(({ state }) => state === 'pending') ? 'pending' : 'success';
}

async function combined(call: RepositoryCall<'repos/get-combined-status-for-ref'>): Promise<Answer> {
  const { world, repository, params, query, url } = call;
  const sha = await requireCommit(world, repository, params.ref);
  const latest = latestByContext(statusesFor(world, repository, sha));
  const { items, headers } = paginate(latest, query, url);
  const api = repositoryApiUrl(world, repository);
  const body = {
    state: combinedState(latest),
    statuses: items.map((status) => presentSimple(world, status, repository)),
    sha,
    total_count: latest.length,
    repository: presentRepository(world, repository),
    commit_url: `${api}/commits/${sha}`,
    url: `${api}/commits/${sha}/status`,
  };
  return { status: 200, body, headers };
}

export const commitStatusOperations = [
  repositoryOperation('repos/create-commit-status', writing('statuses'), create),
  repositoryOperation('repos/list-commit-statuses-for-ref', reading('statuses'), list),
  repositoryOperation('repos/get-combined-status-for-ref', reading('statuses'), combined),
];
