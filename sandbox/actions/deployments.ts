/** Deployments and their statuses, with what GitHub does by itself: environments appear, older deployments turn inactive. */
import { presentDeployment, presentDeploymentStatus } from '../present/deployment.ts';
import type { Deployment, DeploymentStatus, Environment, Repository, User } from '../state/model.ts';
import { emit } from '../webhooks/emit.ts';
import type { World } from '../world.ts';

export function findEnvironment(world: World, repository: Repository, name: string): Environment | undefined {
  return world.tables.environments.first(
    (environment) => environment.repositoryId === repository.id && environment.name === name,
  );
}

export function ensureEnvironment(world: World, repository: Repository, name: string): Environment {
  const now = world.now();
  return (
    findEnvironment(world, repository, name) ??
    world.tables.environments.insert({ repositoryId: repository.id, name, createdAt: now, updatedAt: now })
  );
}

/** Oldest first. */
export function statusesOf(world: World, deployment: Deployment): DeploymentStatus[] {
  return world.tables.deploymentStatuses.filter(({ deploymentId }) => deploymentId === deployment.id);
}

export type NewDeployment = Omit<Deployment, 'id' | 'createdAt' | 'updatedAt' | 'originalEnvironment'>;

export function addDeployment(world: World, request: NewDeployment, sender: User): Deployment {
  const repository = world.tables.repositories.get(request.repositoryId);
  const now = world.now();
  ensureEnvironment(world, repository, request.environment);
  const deployment = world.tables.deployments.insert({
    ...request,
    originalEnvironment: request.environment,
    createdAt: now,
    updatedAt: now,
  });
  const subject = { deployment: presentDeployment(world, deployment), workflow: null, workflow_run: null };
  emit(world, { name: 'deployment-created', repository, sender, subject });
  return deployment;
}

export interface NewStatus {
  readonly state: DeploymentStatus['state'];
  readonly description: string;
  readonly environment: string;
  readonly environmentUrl: string;
  readonly logUrl: string;
  readonly autoInactive: boolean;
  readonly byApp: boolean;
  readonly sender: User;
}

export function addStatus(world: World, deployment: Deployment, request: NewStatus): DeploymentStatus {
  const { autoInactive, sender, ...columns } = request;
  const now = world.now();
  const repository = world.tables.repositories.get(deployment.repositoryId);
  ensureEnvironment(world, repository, request.environment);
  const updated = world.tables.deployments.update(deployment.id, { environment: request.environment, updatedAt: now });
  const status = world.tables.deploymentStatuses.insert({
    ...columns,
    deploymentId: deployment.id,
    repositoryId: deployment.repositoryId,
    creatorId: sender.id,
    createdAt: now,
  });
  emitStatus(world, updated, { status, sender });
  if (request.state === 'success' && autoInactive) deactivateOlder(world, updated, sender);
  return status;
}

function emitStatus(
  world: World,
  deployment: Deployment,
  { status, sender }: { status: DeploymentStatus; sender: User },
) {
  const subject = {
    deployment_status: presentDeploymentStatus(world, status),
    deployment: presentDeployment(world, deployment),
    check_run: null,
    workflow: null,
    workflow_run: null,
  };
  const repository = world.tables.repositories.get(deployment.repositoryId);
  emit(world, { name: 'deployment-status-created', repository, sender, subject });
}

/** GitHub leaves transient and production deployments as they are, and those that never succeeded. */
export function isSupersededBy(
  older: Deployment,
  newer: Deployment,
  olderState: DeploymentStatus['state'] | null,
): boolean {
  return (
    older.repositoryId === newer.repositoryId &&
    older.id < newer.id &&
    older.environment === newer.environment &&
    !older.transient &&
    !older.production &&
    olderState === 'success'
  );
}

function deactivateOlder(world: World, deployment: Deployment, sender: User): void {
  for (const older of world.tables.deployments.all()) {
    const last = statusesOf(world, older).at(-1);
    if (last === undefined || !isSupersededBy(older, deployment, last.state)) continue;
    const status = world.tables.deploymentStatuses.insert({
      deploymentId: older.id,
      repositoryId: older.repositoryId,
      state: 'inactive',
      description: '',
      environment: older.environment,
      environmentUrl: last.environmentUrl,
      logUrl: last.logUrl,
      creatorId: sender.id,
      byApp: last.byApp,
      createdAt: world.now(),
    });
    emitStatus(world, older, { status, sender });
  }
}

/** GitHub refuses to delete an active deployment, unless it is the only one of its environment. */
export function mayDelete(world: World, deployment: Deployment): boolean {
  const state = statusesOf(world, deployment).at(-1)?.state;
  if (state === 'inactive') return true;
  const others = world.tables.deployments.first(
    ({ id, repositoryId, environment }) =>
      id !== deployment.id && repositoryId === deployment.repositoryId && environment === deployment.environment,
  );
  return others === undefined;
}

export function deleteDeployment(world: World, deployment: Deployment): void {
  world.tables.deploymentStatuses.deleteWhere(({ deploymentId }) => deploymentId === deployment.id);
  world.tables.deployments.delete(deployment.id);
}
