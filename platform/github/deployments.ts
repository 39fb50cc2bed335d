/** GitHub's deployments and their statuses: created once, however often the write is tried. */
import Type, { type Static } from 'typebox';
import type { CreateDeployment, CreateDeploymentStatus } from '../../core/report/writes.ts';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

const Created = Type.Object({ id: Type.Integer() });
const DeploymentList = Type.Array(Type.Object({ id: Type.Integer(), payload: Type.Unknown() }));
const StatusList = Type.Array(
  Type.Object({
    id: Type.Integer(),
    state: Type.String(),
    description: Type.Union([Type.String(), Type.Null()]),
  }),
);

const pageSize = 100;

export interface DeploymentKey {
  repositoryId: number;
  sha: string;
  environment: string;
  intentId: string;
}

/** GitHub's id of the deployment that mirrors the intent; null when there is none. */
export async function findDeployment(client: GithubClient, key: DeploymentKey): Promise<number | null> {
  for (let page = 1; ; page++) {
    const response = await requestOrNull(client, 'GET /repositories/{repository_id}/deployments', {
      repository_id: key.repositoryId,
      sha: key.sha,
      environment: key.environment,
      per_page: pageSize,
      page,
    });
    if (response === null) return null;
    const deployments = parseAnswer(DeploymentList, response);
    const found = deployments.find(({ payload }) => intentOf(payload) === key.intentId);
    if (found !== undefined) return found.id;
    if (deployments.length < pageSize) return null;
  }
}

/** GitHub gives the payload back as an object, or as the text of one; others' deployments hold whatever they like. */
function intentOf(payload: unknown): string | null {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return /"landfall_intent"\s*:\s*"([^"\\]+)"/.exec(text)?.[1] ?? null;
}

/** Creates the deployment and gives GitHub's id. From the second attempt on it looks first (P38). Attempts count from 1. */
export async function sendDeploymentCreate(
  client: GithubClient,
  write: Static<typeof CreateDeployment>,
  attempt: number,
): Promise<number> {
  const { repositoryId, intentId, body } = write;
  if (attempt > 1) {
    const existing = await findDeployment(client, {
      repositoryId,
      intentId,
      sha: body.ref,
      environment: body.environment,
    });
    if (existing !== null) return existing;
  }
  const response = await client.request('POST /repositories/{repository_id}/deployments', {
    repository_id: repositoryId,
    ...body,
  });
  return parseAnswer(Created, response).id;
}

/** Adds the status and gives GitHub's id. From the second attempt on it looks whether the newest one says it already. */
export async function sendDeploymentStatusCreate(
  client: GithubClient,
  write: Static<typeof CreateDeploymentStatus>,
  sending: { deploymentId: number; attempt: number },
): Promise<number> {
  if (sending.attempt > 1) {
    const existing = await findNewestStatus(client, write, sending.deploymentId);
    if (existing !== null) return existing;
  }
  const response = await client.request('POST /repositories/{repository_id}/deployments/{deployment_id}/statuses', {
    repository_id: write.repositoryId,
    deployment_id: sending.deploymentId,
    ...write.body,
  });
  return parseAnswer(Created, response).id;
}

/** The lane sends in order, so a status that was written and not answered is the newest. */
async function findNewestStatus(
  client: GithubClient,
  write: Static<typeof CreateDeploymentStatus>,
  deploymentId: number,
): Promise<number | null> {
  const response = await requestOrNull(
    client,
    'GET /repositories/{repository_id}/deployments/{deployment_id}/statuses',
    {
      repository_id: write.repositoryId,
      deployment_id: deploymentId,
      per_page: 1,
    },
  );
  const newest = response === null ? undefined : parseAnswer(StatusList, response)[0];
  return newest?.state === write.body.state && newest.description === write.body.description ? newest.id : null;
}
