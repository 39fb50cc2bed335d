/** Deployments: what GitHub checks before it makes one, and what it does instead. */
import { addDeployment, addStatus, deleteDeployment, mayDelete, statusesOf } from '../actions/deployments.ts';
import { followPush } from '../actions/pushes.ts';
import { branchPrefix, isAncestor, moveRef, resolveCommit } from '../git/refs.ts';
import { commitTree, mergedTree } from '../git/write.ts';
import { reading, repositoryOperation, writing, type Answer, type RepositoryCall } from '../http/operation.ts';
import { paginate } from '../http/paginate.ts';
import { notFound, Refusal, tooLong, validationFailed, type FieldError } from '../http/refusal.ts';
import { emailOf } from '../present/commit.ts';
import { presentDeployment, presentDeploymentStatus } from '../present/deployment.ts';
import type { Deployment, Repository, User } from '../state/model.ts';
import type { World } from '../world.ts';
import { blockingContexts } from './commit-statuses.ts';

const longestDescription = 140;
const longestEnvironment = 255;

type CreateCall = RepositoryCall<'repos/create-deployment'>;

function environmentError(resource: string, name: string): FieldError | null {
  if (name.trim() === '') return { resource, code: 'missing_field', field: 'environment' };
  if (name.length > longestEnvironment) return { resource, code: 'invalid', field: 'environment' };
  return null;
}

interface AutoMerge {
  readonly repository: Repository;
  readonly branch: string;
  readonly sender: User;
}

/** Merges the default branch into a branch that is behind it; `null` when there is nothing to merge. */
async function autoMerge(world: World, { repository, branch, sender }: AutoMerge): Promise<Answer | null> {
  const directory = world.git.directory(repository.id);
  const refs = await world.git.refs(repository.id);
  const [head, base] = [refs.get(branchPrefix + branch), refs.get(branchPrefix + repository.defaultBranch)];
  if (head === undefined || base === undefined || (await isAncestor(directory, base, head))) return null;
  const tree = await mergedTree(directory, head, base);
  if (tree === null) throw new Refusal(409, `Conflict merging ${repository.defaultBranch} into ${branch}.`);
  const author = { name: sender.login, email: emailOf(sender), at: world.now() };
  const message = `Merge ${repository.defaultBranch} into ${branch}`;
  await world.git.write(repository.id, {
    change: async () => {
      const after = await commitTree(directory, { tree, parents: [head, base], message, author });
      await moveRef(directory, { ref: branchPrefix + branch, before: head, after });
    },
    follow: (changes) => followPush(world, { repository, changes, sender }),
  });
  return { status: 202, body: { message: `Auto-merged ${repository.defaultBranch} into ${branch} on deployment.` } };
}

/** Omitted contexts mean all that were ever reported for the commit. */
function requireContexts({ world, repository, body }: CreateCall, sha: string): void {
  const contexts = blockingContexts(world, { repository, sha, required: body.required_contexts ?? null });
  if (contexts.length === 0) return;
  throw new Refusal(409, `Conflict: Commit status checks failed for ${body.ref}.`, {
    errors: [{ resource: 'Deployment', code: 'invalid', field: 'required_contexts', contexts }],
  });
}

function parsePayload(payload: CreateCall['body']['payload']): Deployment['payload'] {
  return payload ?? {};
}

async function create(call: CreateCall): Promise<Answer> {
  const { world, repository, body, actor } = call;
  const environment = body.environment ?? 'production';
  const invalid = environmentError('Deployment', environment);
  if (invalid !== null) throw validationFailed(invalid);
  const sha = await resolveCommit(world.git.directory(repository.id), body.ref);
  if (sha === null) throw new Refusal(422, `No ref found for: ${body.ref}`);
  if (body.auto_merge ?? true) {
    const merged = await autoMerge(world, { repository, branch: body.ref, sender: actor.user });
    if (merged !== null) return merged;
  }
  requireContexts(call, sha);
  const deployment = addDeployment(
    world,
    {
      repositoryId: repository.id,
      sha,
      ref: body.ref,
      task: body.task ?? 'deploy',
      environment,
      payload: parsePayload(body.payload),
      description: body.description ?? null,
      transient: body.transient_environment ?? false,
      production: body.production_environment ?? environment === 'production',
      creatorId: actor.user.id,
      byApp: actor.kind === 'installation',
    },
    actor.user,
  );
  return { status: 201, body: presentDeployment(world, deployment) };
}

function list({ world, repository, query, url }: RepositoryCall<'repos/list-deployments'>): Answer {
  const wanted = { sha: query.sha, ref: query.ref, task: query.task, environment: query.environment };
  const matching = world.tables.deployments
    .filter(({ repositoryId }) => repositoryId === repository.id)
    .filter((deployment) =>
      (['sha', 'ref', 'task', 'environment'] as const).every(
        (column) => wanted[column] === undefined || wanted[column] === 'none' || wanted[column] === deployment[column],
      ),
    )
    .reverse();
  const { items, headers } = paginate(matching, query, url);
  return { status: 200, body: items.map((deployment) => presentDeployment(world, deployment)), headers };
}

function requireDeployment(world: World, repository: Repository, id: number): Deployment {
  const deployment = world.tables.deployments.find(id);
  if (deployment?.repositoryId !== repository.id) throw notFound();
  return deployment;
}

function get({ world, repository, params }: RepositoryCall<'repos/get-deployment'>): Answer {
  return { status: 200, body: presentDeployment(world, requireDeployment(world, repository, params.deployment_id)) };
}

function remove({ world, repository, params }: RepositoryCall<'repos/delete-deployment'>): Answer {
  const deployment = requireDeployment(world, repository, params.deployment_id);
  if (!mayDelete(world, deployment))
    throw new Refusal(
      422,
      'We cannot delete an active deployment unless it is the only deployment in a given environment.',
    );
  deleteDeployment(world, deployment);
  return { status: 204 };
}

function createStatus(call: RepositoryCall<'repos/create-deployment-status'>): Answer {
  const { world, repository, params, body, actor } = call;
  const deployment = requireDeployment(world, repository, params.deployment_id);
  const description = body.description ?? '';
  if (description.length > longestDescription) throw tooLong('DeploymentStatus', 'description', longestDescription);
  const environment = body.environment ?? deployment.environment;
  const invalid = environmentError('DeploymentStatus', environment);
  if (invalid !== null) throw validationFailed(invalid);
  for (const field of ['log_url', 'target_url', 'environment_url'] as const) requireWebUrl(field, body[field]);
  const status = addStatus(world, deployment, {
    state: body.state,
    description,
    environment,
    environmentUrl: body.environment_url ?? '',
    logUrl: body.log_url ?? body.target_url ?? '',
    autoInactive: body.auto_inactive ?? true,
    byApp: actor.kind === 'installation',
    sender: actor.user,
  });
  return { status: 201, body: presentDeploymentStatus(world, status) };
}

function requireWebUrl(field: string, value: string | undefined): void {
  if (value === undefined || value === '' || /^https?:\/\/[^\s]+$/.test(value)) return;
  const message = `${field} must use http(s) scheme`;
  throw validationFailed({ resource: 'DeploymentStatus', code: 'custom', field, message });
}

function listStatuses({
  world,
  repository,
  params,
  query,
  url,
}: RepositoryCall<'repos/list-deployment-statuses'>): Answer {
  const deployment = requireDeployment(world, repository, params.deployment_id);
  const { items, headers } = paginate(statusesOf(world, deployment).reverse(), query, url);
  return { status: 200, body: items.map((status) => presentDeploymentStatus(world, status)), headers };
}

function getStatus({ world, repository, params }: RepositoryCall<'repos/get-deployment-status'>): Answer {
  const deployment = requireDeployment(world, repository, params.deployment_id);
  const status = statusesOf(world, deployment).find(({ id }) => id === params.status_id);
  if (status === undefined) throw notFound();
  return { status: 200, body: presentDeploymentStatus(world, status) };
}

export const deploymentOperations = [
  repositoryOperation('repos/create-deployment', writing('deployments'), create),
  repositoryOperation('repos/list-deployments', reading('deployments'), list),
  repositoryOperation('repos/get-deployment', reading('deployments'), get),
  repositoryOperation('repos/delete-deployment', writing('deployments'), remove),
  repositoryOperation('repos/create-deployment-status', writing('deployments'), createStatus),
  repositoryOperation('repos/list-deployment-statuses', reading('deployments'), listStatuses),
  repositoryOperation('repos/get-deployment-status', reading('deployments'), getStatus),
];
