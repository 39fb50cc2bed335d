import { describe, expect, it } from 'vitest';
import { refusal, setStage } from '../testing/harness.ts';
import { useOpened } from '../../test/suite.ts';
import { servedOperations } from '../rest/operations.ts';
import { webhookNames } from '../webhooks/names.ts';
import { description } from './description.ts';
import { assertAnswer, assertRefusal, assertWebhook, NonconformingAnswer, requestErrors } from './validator.ts';

const stage = useOpened(() => setStage());

it('has the description of everything the sandbox serves, and of nothing else', () => {
  expect(Object.keys(description().operations)).toEqual(servedOperations.map(({ id }) => id).sort());
  expect(Object.keys(description().webhooks)).toEqual([...webhookNames].sort());
});

describe('requests', () => {
  it('are taken as GitHub describes them', () => {
    expect(requestErrors('checks/create', 'body', { name: 'build', head_sha: 'x', status: 'queued' })).toEqual([]);
    expect(requestErrors('repos/list-commits', 'query', { per_page: '7' })).toEqual([]);
  });

  it.each([
    ['checks/create', 'body', { name: 'build' }],
    ['checks/create', 'body', { name: 'build', head_sha: 'x', misspelt: 1 }],
    ['checks/create', 'body', { name: 'build', head_sha: 'x', output: { title: 't', summary: 's', misspelt: 1 } }],
    ['checks/create', 'body', { name: 7, head_sha: 'x' }],
    ['repos/list-commits', 'query', { per_page: 'many' }],
    ['repos/list-commits', 'query', { perpage: '7' }],
    ['repos/get-deployment', 'path', { owner: 'a', repo: 'b', deployment_id: 'x' }],
    ['checks/rerequest-run', 'body', { anything: 1 }],
  ] as const)('%s with a wrong %s are refused', (operation, part, value) => {
    expect(requestErrors(operation, part, value)).not.toEqual([]);
  });
});

describe('answers', () => {
  it('that break the description are an error', () => {
    expect(() => assertAnswer('repos/get', 200, { id: 1 })).toThrow(NonconformingAnswer);
    expect(() => assertAnswer('repos/get', 299, {})).toThrow(/no such status/);
    expect(() => assertRefusal('repos/get', 404, { message: 7 })).toThrow(NonconformingAnswer);
    expect(() => assertWebhook('push', {})).toThrow(/webhook push/);
  });

  it('that break the description are a 500, and remembered as the sandbox’s failure', async () => {
    const { sandbox, octokit, repositoryId } = stage;
    const created = await octokit.rest.repos.createDeployment({ owner: 'acme', repo: 'shop', ref: 'main' });
    const { id } = created.data as { id: number };
    sandbox.state.deployments.update(id, { payload: 7 as never });
    const request = octokit.rest.repos.getDeployment({ owner: 'acme', repo: 'shop', deployment_id: id });
    const { status, data } = await refusal(request);
    expect(status).toBe(500);
    expect(data.message).toMatch(/^The sandbox broke GitHub's description in repos\/get-deployment 200: \/payload/);
    expect(sandbox.failures).toHaveLength(1);
    expect((await sandbox.inspectRepository({ repositoryId })).deployments).toHaveLength(1);
  });
});
