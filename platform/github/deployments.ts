/** GitHub's deployments and their statuses: created once, however often the write is tried. */
import Type from 'typebox';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

export interface DeploymentCreate {
  /** Ours, and the key by which a created one is found again: it stands in the payload. */
  intentId: string;
  /** 40 hex digits; never a branch, which may have moved on. */
  sha: string;
  environment: string;
  description: string;
  transient: boolean;
  production: boolean;
}

export type DeploymentState = 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

export interface DeploymentStatusCreate {
  deploymentId: number;
  state: DeploymentState;
  /** ≤ 140 characters. */
  description: string;
  environmentUrl: string | null;
  logUrl: string | null;
}

const Created = Type.Object({ id: Type.Integer() });
const DeploymentList = Type.Array(Type.Object({ id: Type.Integer(), payload: Type.Unknown() }));
const StatusList = Type.Array(
  Type.Object({
    id: Type.Integer(),
    state: Type.String(),
    description: Type.Union([Type.String(), Type.Null()]),
    log_url: Type.Optional(Type.String()),
  }),
);

const pageSize = 100;

/** GitHub's id of the deployment that mirrors the intent; null when there is none. */
export async function findDeployment(
  client: GithubClient,
  repositoryId: number,
  of: { intentId: string; sha: string; environment: string },
): Promise<number | null> {
  for (let page = 1; ; page++) {
    const response = await requestOrNull(client, 'GET /repositories/{repository_id}/deployments', {
      repository_id: repositoryId,
      sha: of.sha,
      environment: of.environment,
      per_page: pageSize,
      page,
    });
    if (response === null) return null;
    const deployments = parseAnswer(DeploymentList, response);
    const found = deployments.find(({ payload }) => intentOf(payload) === of.intentId);
    if (found !== undefined) return found.id;
    if (deployments.length < pageSize) return null;
  }
}

/** GitHub gives the payload back as an object, or as the text of one. */
function intentOf(payload: unknown): unknown {
  if (typeof payload === 'string') return payload.startsWith('{') ? intentOf(JSON.parse(payload)) : undefined;
  return typeof payload === 'object' && payload !== null && 'intent' in payload ? payload.intent : undefined;
}

/**
 * Creates the deployment and gives GitHub's id. From the second attempt on it looks first (P38). GitHub's own gates and
 * merges stay out of it (P36).
 */
export async function sendDeploymentCreate(
  client: GithubClient,
  repositoryId: number,
  write: DeploymentCreate & { attempt: number },
): Promise<number> {
  const existing = write.attempt > 1 ? await findDeployment(client, repositoryId, write) : null;
  if (existing !== null) return existing;
  const response = await client.request('POST /repositories/{repository_id}/deployments', {
    repository_id: repositoryId,
    ref: write.sha,
    auto_merge: false,
    required_contexts: [],
    environment: write.environment,
    description: write.description,
    transient_environment: write.transient,
    production_environment: write.production,
    payload: { intent: write.intentId },
  });
  return parseAnswer(Created, response).id;
}

/** Adds the status and gives GitHub's id. From the second attempt on it looks whether the newest one says it already. */
export async function sendDeploymentStatusCreate(
  client: GithubClient,
  repositoryId: number,
  write: DeploymentStatusCreate & { attempt: number },
): Promise<number> {
  const existing = write.attempt > 1 ? await findNewestStatus(client, repositoryId, write) : null;
  if (existing !== null) return existing;
  const response = await client.request('POST /repositories/{repository_id}/deployments/{deployment_id}/statuses', {
    repository_id: repositoryId,
    deployment_id: write.deploymentId,
    state: write.state,
    description: write.description,
    auto_inactive: false,
    ...(write.environmentUrl === null ? {} : { environment_url: write.environmentUrl }),
    ...(write.logUrl === null ? {} : { log_url: write.logUrl }),
  });
  return parseAnswer(Created, response).id;
}

async function findNewestStatus(
  client: GithubClient,
  repositoryId: number,
  write: DeploymentStatusCreate,
): Promise<number | null> {
  const response = await requestOrNull(
    client,
    'GET /repositories/{repository_id}/deployments/{deployment_id}/statuses',
    {
      repository_id: repositoryId,
      deployment_id: write.deploymentId,
      per_page: 1,
    },
  );
  const newest = response === null ? undefined : parseAnswer(StatusList, response)[0];
  return newest?.state === write.state && newest.description === write.description ? newest.id : null;
}
