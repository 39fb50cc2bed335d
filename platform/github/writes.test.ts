import { describe, expect, it } from 'vitest';
import type { GithubClient, GithubResponse } from './client.ts';
import { IgnoredError } from '../errors/errors.ts';
import { sendCheckRunCreate, sendCheckRunUpdate } from './check-runs.ts';
import { sendDeploymentCreate, sendDeploymentStatusCreate } from './deployments.ts';

interface Call {
  route: string;
  parameters: Record<string, unknown>;
}

/** Answers by the route's beginning, and remembers. */
function fakeClient(answers: Record<string, unknown>): GithubClient & { calls: Call[] } {
  const calls: Call[] = [];
  return {
    calls,
    request(route, parameters = {}): Promise<GithubResponse> {
      calls.push({ route, parameters });
      const key = Object.keys(answers).find((known) => route === known);
      if (key === undefined) return Promise.reject(new IgnoredError('github_not_found', `nothing at ${route}`));
      return Promise.resolve({ status: 200, headers: {}, data: answers[key] });
    },
  };
}

const sha = 'a'.repeat(40);
const checkRun = {
  repositoryId: 9,
  intentId: 'i1',
  body: {
    name: 'Landfall',
    head_sha: sha,
    external_id: 'intent:i1',
    status: 'in_progress' as const,
    started_at: '2030-01-01T00:00:00Z',
    output: { title: 'Building', summary: 's' },
  },
};
const listRuns = 'GET /repositories/{repository_id}/commits/{ref}/check-runs';
const createRun = 'POST /repositories/{repository_id}/check-runs';

describe('check runs', () => {
  it('are created without a look the first time', async () => {
    const client = fakeClient({ [createRun]: { id: 31 } });
    expect(await sendCheckRunCreate(client, checkRun, 1)).toBe(31);
    expect(client.calls).toEqual([{ route: createRun, parameters: { repository_id: 9, ...checkRun.body } }]);
  });

  it('P38: a repeated create finds what the first one made', async () => {
    const others = { id: 30, external_id: 'intent:i0' };
    const client = fakeClient({ [listRuns]: { check_runs: [others, { id: 31, external_id: 'intent:i1' }] } });
    expect(await sendCheckRunCreate(client, checkRun, 2)).toBe(31);
    expect(client.calls).toMatchObject([
      { route: listRuns, parameters: { ref: sha, check_name: 'Landfall', filter: 'all' } },
    ]);
  });

  it('P38: a repeated create goes out when the first one was not taken', async () => {
    const client = fakeClient({ [listRuns]: { check_runs: [] }, [createRun]: { id: 32 } });
    expect(await sendCheckRunCreate(client, checkRun, 2)).toBe(32);
  });

  it('are updated under their number', async () => {
    const update = 'PATCH /repositories/{repository_id}/check-runs/{check_run_id}';
    const client = fakeClient({ [update]: {} });
    const body = { status: 'completed' as const, conclusion: 'success' as const, output: checkRun.body.output };
    await sendCheckRunUpdate(
      client,
      { repositoryId: 9, intentId: 'i1', externalId: 'intent:i1', body },
      { checkRunId: 31, attempt: 1 },
    );
    expect(client.calls).toEqual([{ route: update, parameters: { repository_id: 9, check_run_id: 31, ...body } }]);
  });
});

const deployment = {
  repositoryId: 9,
  intentId: 'i1',
  body: {
    ref: sha,
    task: 'deploy' as const,
    auto_merge: false as const,
    required_contexts: [],
    environment: 'production',
    description: 'd',
    transient_environment: false,
    production_environment: true,
    payload: { landfall_intent: 'i1' },
  },
};
const listDeployments = 'GET /repositories/{repository_id}/deployments';
const createDeployment = 'POST /repositories/{repository_id}/deployments';

describe('deployments', () => {
  it('P36: go out with the full SHA, no merge and no contexts', async () => {
    const client = fakeClient({ [createDeployment]: { id: 41 } });
    expect(await sendDeploymentCreate(client, deployment, 1)).toBe(41);
    expect(client.calls[0]?.parameters).toMatchObject({ ref: sha, auto_merge: false, required_contexts: [] });
  });

  it.each([
    ['an object', { landfall_intent: 'i1' }],
    ['text', '{"landfall_intent":"i1"}'],
  ])('P38: a repeated create finds the one whose payload, as %s, names the intent', async (_form, payload) => {
    const foreign = [
      { id: 39, payload: 'v1.2' },
      { id: 40, payload: { landfall_intent: 'i0' } },
      { id: 38, payload: null },
    ];
    const client = fakeClient({ [listDeployments]: [...foreign, { id: 41, payload }] });
    expect(await sendDeploymentCreate(client, deployment, 2)).toBe(41);
  });
});

describe('deployment statuses', () => {
  const list = 'GET /repositories/{repository_id}/deployments/{deployment_id}/statuses';
  const create = 'POST /repositories/{repository_id}/deployments/{deployment_id}/statuses';
  const status = {
    repositoryId: 9,
    intentId: 'i1',
    body: {
      state: 'success' as const,
      description: 'serves',
      environment: 'production',
      log_url: 'http://console.test/i1',
      auto_inactive: false as const,
    },
  };

  it('P38: a repeated create finds the newest when it says the same', async () => {
    const client = fakeClient({ [list]: [{ id: 52, state: 'success', description: 'serves' }] });
    expect(await sendDeploymentStatusCreate(client, status, { deploymentId: 41, attempt: 3 })).toBe(52);
  });

  it('P38: a repeated create goes out when the newest says something else', async () => {
    const older = { id: 51, state: 'in_progress', description: 'building' };
    const client = fakeClient({ [list]: [older], [create]: { id: 52 } });
    expect(await sendDeploymentStatusCreate(client, status, { deploymentId: 41, attempt: 3 })).toBe(52);
  });
});
