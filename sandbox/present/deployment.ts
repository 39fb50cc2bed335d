/** Deployments, their statuses and environments as the REST API shows them. */
import type { components } from '@octokit/openapi-types';
import type { Deployment, DeploymentStatus, Environment, Repository } from '../state/model.ts';
import type { World } from '../world.ts';
import { presentApp } from './app.ts';
import { repositoryApiUrl, repositoryPageUrl } from './repository.ts';
import { iso, nodeId } from './time.ts';
import { presentUser } from './user.ts';

type Schemas = components['schemas'];

function deploymentUrl(world: World, deployment: Deployment): string {
  const repository = world.tables.repositories.get(deployment.repositoryId);
  return `${repositoryApiUrl(world, repository)}/deployments/${deployment.id}`;
}

export function presentDeployment(world: World, deployment: Deployment): Schemas['deployment'] {
  const url = deploymentUrl(world, deployment);
  return {
    url,
    id: deployment.id,
    node_id: nodeId('Deployment', deployment.id),
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.originalEnvironment,
    environment: deployment.environment,
    description: deployment.description,
    creator: presentUser(world, world.tables.users.get(deployment.creatorId)),
    created_at: iso(deployment.createdAt),
    updated_at: iso(deployment.updatedAt),
    statuses_url: `${url}/statuses`,
    repository_url: repositoryApiUrl(world, world.tables.repositories.get(deployment.repositoryId)),
    transient_environment: deployment.transient,
    production_environment: deployment.production,
    performed_via_github_app: deployment.byApp ? presentApp(world) : null,
  };
}

export function presentDeploymentStatus(world: World, status: DeploymentStatus): Schemas['deployment-status'] {
  const deployment = deploymentUrl(world, world.tables.deployments.get(status.deploymentId));
  return {
    url: `${deployment}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId('DeploymentStatus', status.id),
    state: status.state,
    creator: presentUser(world, world.tables.users.get(status.creatorId)),
    description: status.description,
    environment: status.environment,
    target_url: status.logUrl,
    log_url: status.logUrl,
    environment_url: status.environmentUrl,
    created_at: iso(status.createdAt),
    updated_at: iso(status.createdAt),
    deployment_url: deployment,
    repository_url: repositoryApiUrl(world, world.tables.repositories.get(status.repositoryId)),
    performed_via_github_app: status.byApp ? presentApp(world) : null,
  };
}

export function presentEnvironment(
  world: World,
  repository: Repository,
  environment: Environment,
): Schemas['environment'] {
  const name = encodeURIComponent(environment.name);
  return {
    id: environment.id,
    node_id: nodeId('Environment', environment.id),
    name: environment.name,
    url: `${repositoryApiUrl(world, repository)}/environments/${name}`,
    html_url: `${repositoryPageUrl(world, repository)}/deployments/activity_log?environments_filter=${name}`,
    created_at: iso(environment.createdAt),
    updated_at: iso(environment.updatedAt),
    protection_rules: [],
    deployment_branch_policy: null,
  };
}
