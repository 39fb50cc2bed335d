/** Check runs and suites, with the limits GitHub's description leaves out. */
import type { components } from '@octokit/openapi-types';
import { emitRun, noteAnswer, rerequestRun, resetSuite, suiteFor } from '../actions/checks.ts';
import { readCommit } from '../git/commits.ts';
import { resolveCommit } from '../git/refs.ts';
import {
  reading,
  repositoryOperation,
  writing,
  type Answer,
  type Call,
  type RepositoryCall,
} from '../http/operation.ts';
import { paginate, type Paging } from '../http/paginate.ts';
import { notFound, Refusal, validationFailed } from '../http/refusal.ts';
import { presentCheckRun, presentCheckSuite, runsOf } from '../present/check.ts';
import { presentSimpleCommit } from '../present/commit.ts';
import { repositoryPageUrl } from '../present/repository.ts';
import type { Annotation, CheckRun, CheckSuite, Repository } from '../state/model.ts';
import type { World } from '../world.ts';
import { requireCommit } from './commits.ts';

type Schemas = components['schemas'];
type CreateBody = Call<'checks/create'>['body'];
type UpdateBody = Call<'checks/update'>['body'];
type Output = NonNullable<UpdateBody['output']>;

function invalid(field: string, message: string): Refusal {
  return validationFailed({ resource: 'CheckRun', code: 'invalid', field, message });
}

function requireAnnotation(annotation: NonNullable<Output['annotations']>[number]): Annotation {
  const { start_line, end_line, start_column, end_column } = annotation;
  if (start_line < 1 || end_line < start_line) throw invalid('end_line', 'end_line must not be before start_line');
  const hasColumns = start_column !== undefined || end_column !== undefined;
  if (hasColumns && start_line !== end_line)
    throw invalid('start_column', 'columns are only allowed when start_line and end_line are equal');
  if (Buffer.byteLength(annotation.message) > 65_536)
    throw invalid('message', 'message is too long (maximum is 64 KB)');
  if ((annotation.title ?? '').length > 255) throw invalid('title', 'title is too long (maximum is 255 characters)');
  return {
    path: annotation.path,
    start_line,
    end_line,
    start_column: start_column ?? null,
    end_column: end_column ?? null,
    annotation_level: annotation.annotation_level,
    title: annotation.title ?? null,
    message: annotation.message,
    raw_details: annotation.raw_details ?? null,
  };
}

type State = Pick<CheckRun, 'status' | 'conclusion' | 'completedAt'>;

/** A conclusion completes a run, and a completed run has one. */
function nextState(world: World, current: State, body: CreateBody | UpdateBody): State {
  const { status, conclusion, completed_at } = body as UpdateBody;
  if (conclusion === 'stale') throw invalid('conclusion', 'stale can only be set by GitHub');
  const asked = conclusion === undefined && completed_at === undefined ? status : 'completed';
  if (asked === 'completed') {
    const final = conclusion ?? current.conclusion;
    if (final === null)
      throw validationFailed({
        resource: 'CheckRun',
        code: 'missing_field',
        field: 'conclusion',
        message: 'conclusion is required when status is completed',
      });
    const completedAt = completed_at === undefined ? (current.completedAt ?? world.now()) : Date.parse(completed_at);
    return { status: 'completed', conclusion: final, completedAt };
  }
  if (asked === undefined) return current;
  return { status: asked, conclusion: null, completedAt: null };
}

function nextOutput(current: CheckRun['output'], output: Output | undefined): CheckRun['output'] {
  if (output === undefined) return current;
  return {
    title: output.title ?? current.title,
    summary: output.summary,
    text: output.text ?? current.text,
  };
}

function emitChange(
  world: World,
  run: CheckRun,
  { isNew, sender }: { isNew: boolean; sender: RepositoryCall<'checks/create'>['actor'] },
) {
  if (isNew) emitRun(world, run, { name: 'check-run-created', sender: sender.user });
  if (run.status === 'completed') emitRun(world, run, { name: 'check-run-completed', sender: sender.user });
}

function requireApp({ actor }: Pick<RepositoryCall<'checks/create'>, 'actor'>): void {
  if (actor.kind !== 'installation') throw new Refusal(403, 'You must authenticate via a GitHub App.');
}

async function create(call: RepositoryCall<'checks/create'>): Promise<Answer> {
  requireApp(call);
  const { world, repository, body, actor } = call;
  const sha = /^[0-9a-f]{40}$/.test(body.head_sha)
    ? await resolveCommit(world.git.directory(repository.id), body.head_sha)
    : null;
  if (sha === null) throw new Refusal(422, `No commit found for SHA: ${body.head_sha}`);
  const now = world.now();
  const output = body.output as Output | undefined;
  const annotations = (output?.annotations ?? []).map(requireAnnotation);
  const state = nextState(world, { status: 'queued', conclusion: null, completedAt: null }, body);
  const run = world.tables.checkRuns.insert({
    repositoryId: repository.id,
    suiteId: suiteFor(world, repository, sha).id,
    name: body.name,
    headSha: sha,
    externalId: body.external_id ?? '',
    detailsUrl: body.details_url ?? null,
    ...state,
    startedAt: body.started_at === undefined ? now : Date.parse(body.started_at),
    output: nextOutput({ title: null, summary: null, text: null }, output),
    annotations,
    actions: body.actions ?? [],
  });
  noteAnswer(world, run.suiteId);
  emitChange(world, run, { isNew: true, sender: actor });
  return { status: 201, body: presentCheckRun(world, run) };
}

function requireRun(world: World, repository: Repository, id: number): CheckRun {
  const run = world.tables.checkRuns.find(id);
  if (run?.repositoryId !== repository.id) throw notFound();
  return run;
}

function update(call: RepositoryCall<'checks/update'>): Answer {
  requireApp(call);
  const { world, repository, params, body, actor } = call;
  const run = requireRun(world, repository, Number(params.check_run_id));
  const added = (body.output?.annotations ?? []).map(requireAnnotation);
  const state = nextState(world, run, body);
  const updated = world.tables.checkRuns.update(run.id, {
    ...state,
    name: body.name ?? run.name,
    externalId: body.external_id ?? run.externalId,
    detailsUrl: body.details_url ?? run.detailsUrl,
    startedAt: body.started_at === undefined ? run.startedAt : Date.parse(body.started_at),
    output: nextOutput(run.output, body.output),
    annotations: [...run.annotations, ...added],
    actions: body.actions ?? run.actions,
  });
  noteAnswer(world, run.suiteId);
  if (run.status !== 'completed') emitChange(world, updated, { isNew: false, sender: actor });
  return { status: 200, body: presentCheckRun(world, updated) };
}

function get({ world, repository, params }: RepositoryCall<'checks/get'>): Answer {
  return { status: 200, body: presentCheckRun(world, requireRun(world, repository, Number(params.check_run_id))) };
}

interface RunFilter extends Paging {
  readonly check_name?: string | undefined;
  readonly status?: string | undefined;
  readonly filter?: 'latest' | 'all' | undefined;
}

/** `latest` keeps the newest run of each name. */
export function filterRuns(runs: readonly CheckRun[], { check_name, status, filter }: RunFilter): CheckRun[] {
  const matching = runs
    .filter((run) => check_name === undefined || run.name === check_name)
    .filter((run) => status === undefined || run.status === status);
  const newest = filter === 'all' ? matching : [...new Map(matching.map((run) => [run.name, run])).values()];
  return newest.reverse();
}

function listRuns(world: World, runs: readonly CheckRun[], { filter, url }: { filter: RunFilter; url: URL }): Answer {
  const matching = filterRuns(runs, filter);
  const { items, headers } = paginate(matching, filter, url);
  const body = { total_count: matching.length, check_runs: items.map((run) => presentCheckRun(world, run)) };
  return { status: 200, body, headers };
}

async function listForRef(call: RepositoryCall<'checks/list-for-ref'>): Promise<Answer> {
  const { world, repository, params, query, url } = call;
  const sha = await requireCommit(world, repository, params.ref);
  const ofApp = query.app_id === undefined || query.app_id === world.app.id;
  const runs = world.tables.checkRuns.filter(
    (run) => ofApp && run.repositoryId === repository.id && run.headSha === sha,
  );
  return listRuns(world, runs, { filter: query, url });
}

function listAnnotations({ world, repository, params, query, url }: RepositoryCall<'checks/list-annotations'>): Answer {
  const run = requireRun(world, repository, Number(params.check_run_id));
  const { items, headers } = paginate(run.annotations, query, url);
  const blob = `${repositoryPageUrl(world, repository)}/blob/${run.headSha}`;
  const body: Schemas['check-annotation'][] = items.map((each) => ({ ...each, blob_href: `${blob}/${each.path}` }));
  return { status: 200, body, headers };
}

function rerequest({ world, repository, params, actor }: RepositoryCall<'checks/rerequest-run'>): Answer {
  rerequestRun(world, requireRun(world, repository, Number(params.check_run_id)), actor.user);
  return { status: 201, body: {} };
}

function requireSuite(world: World, repository: Repository, id: number): CheckSuite {
  const suite = world.tables.checkSuites.find(id);
  if (suite?.repositoryId !== repository.id) throw notFound();
  return suite;
}

async function showSuite(world: World, suite: CheckSuite): Promise<Schemas['check-suite']> {
  const commit = await readCommit(world.git.directory(suite.repositoryId), suite.headSha);
  return presentCheckSuite(world, suite, presentSimpleCommit(commit));
}

async function getSuite({ world, repository, params }: RepositoryCall<'checks/get-suite'>): Promise<Answer> {
  return { status: 200, body: await showSuite(world, requireSuite(world, repository, params.check_suite_id)) };
}

async function listSuites(call: RepositoryCall<'checks/list-suites-for-ref'>): Promise<Answer> {
  const { world, repository, params, query, url } = call;
  const sha = await requireCommit(world, repository, params.ref);
  const suites = world.tables.checkSuites.filter(
    (suite) => suite.repositoryId === repository.id && suite.headSha === sha,
  );
  const { items, headers } = paginate(suites, query, url);
  const check_suites = await Promise.all(items.map((suite) => showSuite(world, suite)));
  return { status: 200, body: { total_count: suites.length, check_suites }, headers };
}

function listForSuite({ world, repository, params, query, url }: RepositoryCall<'checks/list-for-suite'>): Answer {
  const runs = runsOf(world, requireSuite(world, repository, params.check_suite_id));
  return listRuns(world, runs, { filter: query, url });
}

async function rerequestSuite(call: RepositoryCall<'checks/rerequest-suite'>): Promise<Answer> {
  const { world, repository, params, actor } = call;
  const suite = requireSuite(world, repository, params.check_suite_id);
  await resetSuite(world, suite, actor.user);
  return { status: 201, body: {} };
}

export const checkOperations = [
  repositoryOperation('checks/create', writing('checks'), create),
  repositoryOperation('checks/update', writing('checks'), update),
  repositoryOperation('checks/get', reading('checks'), get),
  repositoryOperation('checks/list-for-ref', reading('checks'), listForRef),
  repositoryOperation('checks/list-annotations', reading('checks'), listAnnotations),
  repositoryOperation('checks/rerequest-run', writing('checks'), rerequest),
  repositoryOperation('checks/get-suite', reading('checks'), getSuite),
  repositoryOperation('checks/list-suites-for-ref', reading('checks'), listSuites),
  repositoryOperation('checks/list-for-suite', reading('checks'), listForSuite),
  repositoryOperation('checks/rerequest-suite', writing('checks'), rerequestSuite),
];
