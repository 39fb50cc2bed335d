import { beforeAll, describe, expect, it } from 'vitest';
import { refusal, tokenOctokit, valueAt } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage();
let sha: string;
const repo = () => ({ owner: stage.owner, repo: stage.repo });

beforeAll(async () => {
  sha = (await stage.octokit.rest.repos.getBranch({ ...repo(), branch: 'main' })).data.commit.sha;
});

async function createRun(changes: Record<string, unknown> = {}) {
  const { data } = await stage.octokit.rest.checks.create({ ...repo(), name: 'build', head_sha: sha, ...changes });
  return data;
}

function updateRun(id: number, changes: Record<string, unknown>) {
  return stage.octokit.rest.checks.update({ ...repo(), check_run_id: id, ...changes });
}

const annotation = (line: number) => ({
  path: 'landfall.yml',
  start_line: line,
  end_line: line,
  annotation_level: 'failure' as const,
  message: `line ${line}`,
});

describe('a check run', () => {
  it('goes from queued to completed, and its conclusion completes it', async () => {
    const run = await createRun({ external_id: 'build-1' });
    expect(run).toMatchObject({ status: 'queued', conclusion: null, external_id: 'build-1' });
    const started = await updateRun(run.id, { status: 'in_progress', output: { title: 'Building', summary: '…' } });
    expect(started.data.status).toBe('in_progress');
    const done = await updateRun(run.id, { conclusion: 'success' });
    expect(done.data).toMatchObject({ status: 'completed', conclusion: 'success', output: { title: 'Building' } });
    expect(done.data.completed_at).not.toBeNull();
  });

  it('refuses completed without a conclusion, and a conclusion only GitHub sets', async () => {
    const run = await createRun();
    const { status, data } = await refusal(updateRun(run.id, { status: 'completed' }));
    expect(status).toBe(422);
    expect(data.errors[0]).toMatchObject({ resource: 'CheckRun', code: 'missing_field', field: 'conclusion' });
    expect(await refusal(updateRun(run.id, { conclusion: 'stale' }))).toMatchObject({ status: 422 });
    expect(await refusal(createRun({ status: 'completed' }))).toMatchObject({ status: 422 });
  });

  it('takes 65,535 characters of summary and of text, and no more', async () => {
    const run = await createRun();
    const output = (summary: string, text: string) => ({ output: { title: 't', summary, text } });
    await updateRun(run.id, output('s'.repeat(65_535), 't'.repeat(65_535)));
    expect(await refusal(updateRun(run.id, output('s'.repeat(65_536), '')))).toMatchObject({ status: 422 });
    expect(await refusal(updateRun(run.id, output('', 't'.repeat(65_536))))).toMatchObject({ status: 422 });
  });

  it('appends annotations, 50 at a time', async () => {
    const run = await createRun();
    const lines = (from: number, count: number) => Array.from({ length: count }, (_, at) => annotation(from + at));
    const output = (annotations: unknown[]) => ({ output: { title: 't', summary: 's', annotations } });
    await updateRun(run.id, output(lines(1, 50)));
    const second = await updateRun(run.id, output(lines(51, 5)));
    expect(second.data.output.annotations_count).toBe(55);
    expect(await refusal(updateRun(run.id, output(lines(1, 51))))).toMatchObject({ status: 422 });
    const all = await stage.octokit.paginate(stage.octokit.rest.checks.listAnnotations, {
      ...repo(),
      check_run_id: run.id,
    });
    expect(all.map(({ start_line }) => start_line)).toEqual(Array.from({ length: 55 }, (_, at) => at + 1));
  });

  it('refuses columns over several lines', async () => {
    const wide = { ...annotation(1), end_line: 2, start_column: 1 };
    const request = createRun({ output: { title: 't', summary: 's', annotations: [wide] } });
    expect(await refusal(request)).toMatchObject({ status: 422 });
  });

  it('offers at most three buttons with GitHub’s lengths', async () => {
    const button = { label: 'Retry', description: 'Build again', identifier: 'retry' };
    await createRun({ actions: [button, button, button] });
    for (const actions of [
      [button, button, button, button],
      [{ ...button, label: 'l'.repeat(21) }],
      [{ ...button, description: 'd'.repeat(41) }],
      [{ ...button, identifier: 'i'.repeat(21) }],
    ])
      expect(await refusal(createRun({ actions }))).toMatchObject({ status: 422 });
  });

  it('belongs to a commit that exists', async () => {
    expect(await refusal(createRun({ head_sha: 'f'.repeat(40) }))).toMatchObject({ status: 422 });
    expect(await refusal(createRun({ head_sha: 'main' }))).toMatchObject({ status: 422 });
  });

  it('is made by Apps only', async () => {
    const { token } = await stage.sandbox.userToken({ login: 'acme' });
    const user = tokenOctokit(stage.sandbox, token);
    const request = user.rest.checks.create({ ...repo(), name: 'build', head_sha: sha });
    expect(await refusal(request)).toMatchObject({ status: 403 });
  });
});

it('lists the latest run of each name for a ref', async () => {
  const first = await createRun({ name: 'twice' });
  const second = await createRun({ name: 'twice' });
  const list = async (filter: 'latest' | 'all') => {
    const query = { ...repo(), ref: 'main', check_name: 'twice', filter };
    const { data } = await stage.octokit.rest.checks.listForRef(query);
    return data.check_runs.map(({ id }) => id);
  };
  expect(await list('latest')).toEqual([second.id]);
  expect(await list('all')).toEqual([second.id, first.id]);
});

it('leaves a run that is asked for again as it is, and its suite queued until the App answers', async () => {
  const run = await createRun({ name: 'again' });
  await updateRun(run.id, { conclusion: 'failure' });
  await stage.sandbox.rerequestCheck({ checkRunId: run.id, by: 'ada' });
  const { data: kept } = await stage.octokit.rest.checks.get({ ...repo(), check_run_id: run.id });
  expect(kept).toMatchObject({ status: 'completed', conclusion: 'failure' });
  const suite = async () => {
    const query = { ...repo(), check_suite_id: kept.check_suite!.id };
    const { data } = await stage.octokit.rest.checks.getSuite(query);
    return [data.status, data.conclusion];
  };
  expect(await suite()).toEqual(['queued', null]);
  const answer = await createRun({ name: 'again' });
  expect((await suite())[0]).not.toBe('queued');
  await updateRun(answer.id, { conclusion: 'success' });
});

it('tells the App of a re-run, of a pressed button and of completion', async () => {
  const { sandbox, receiver } = stage;
  const actions = [{ label: 'Roll back', description: 'To the release before', identifier: 'rollback' }];
  const run = await createRun({ name: 'rollout', external_id: 'rollout-9', actions });
  await updateRun(run.id, { conclusion: 'failure' });
  await sandbox.rerequestCheck({ checkRunId: run.id, by: 'ada' });
  await sandbox.pressCheckButton({ checkRunId: run.id, by: 'ada', identifier: 'rollback' });
  await sandbox.deliveries.idle();
  const ours = receiver.received.filter(({ payload }) => payload.check_run?.id === run.id);
  const told = (action: string) => ours.find(({ event }) => event === `check_run.${action}`)!;
  expect(ours).toHaveLength(4);
  expect(valueAt(told('created'), 'check_run.status')).toBe('queued');
  expect(valueAt(told('completed'), 'check_run.conclusion')).toBe('failure');
  expect(told('rerequested').payload).toMatchObject({
    check_run: { external_id: 'rollout-9', head_sha: sha, check_suite: { head_branch: 'main' } },
    sender: { login: 'ada' },
    installation: { id: stage.installationId },
  });
  expect(valueAt(told('requested_action'), 'requested_action')).toEqual({ identifier: 'rollback' });
});
