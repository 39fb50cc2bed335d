/** Check suites and runs as the REST API shows them. */
import type { components } from '@octokit/openapi-types';
import type { CheckConclusion, CheckRun, CheckStatus, CheckSuite } from '../state/model.ts';
import type { World } from '../world.ts';
import { presentApp } from './app.ts';
import { presentPullName } from './pull.ts';
import { presentRepository, repositoryApiUrl, repositoryPageUrl } from './repository.ts';
import { iso, isoOrNull, nodeId } from './time.ts';

type Schemas = components['schemas'];

export function runsOf(world: World, suite: CheckSuite): CheckRun[] {
  return world.tables.checkRuns.filter(({ suiteId }) => suiteId === suite.id);
}

function pullsWithHead(world: World, repositoryId: number, sha: string): Schemas['pull-request-minimal'][] {
  return world.tables.issues
    .filter((issue) => issue.repositoryId === repositoryId && issue.state === 'open' && issue.pull?.headSha === sha)
    .map((issue) => presentPullName(world, issue));
}

export function presentCheckRun(world: World, run: CheckRun): Schemas['check-run'] {
  const repository = world.tables.repositories.get(run.repositoryId);
  const url = `${repositoryApiUrl(world, repository)}/check-runs/${run.id}`;
  const page = `${repositoryPageUrl(world, repository)}/runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: page,
    details_url: run.detailsUrl ?? page,
    status: run.status,
    conclusion: run.conclusion,
    started_at: iso(run.startedAt),
    completed_at: isoOrNull(run.completedAt),
    output: {
      ...run.output,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    name: run.name,
    check_suite: { id: run.suiteId },
    app: presentApp(world),
    pull_requests: pullsWithHead(world, run.repositoryId, run.headSha),
  };
}

const conclusionOrder: readonly CheckConclusion[] = [
  'action_required',
  'timed_out',
  'cancelled',
  'failure',
  'success',
  'neutral',
  'skipped',
];

interface SuiteState {
  status: CheckStatus;
  conclusion: CheckConclusion | null;
}

/** A suite is as far as its slowest run, and as bad as its worst. */
export function suiteState(runs: readonly CheckRun[]): SuiteState {
  if (runs.length === 0) return { status: 'queued', conclusion: null };
  if (runs.some(({ status }) => status !== 'completed')) {
    const started = runs.some(({ status }) => status !== 'queued');
    return { status: started ? 'in_progress' : 'queued', conclusion: null };
  }
  return {
    status: 'completed',
    conclusion: conclusionOrder.find((each) => runs.some(({ conclusion }) => conclusion === each)) ?? 'success',
  };
}

function suiteBasics(world: World, suite: CheckSuite) {
  const repository = world.tables.repositories.get(suite.repositoryId);
  const runs = runsOf(world, suite);
  const url = `${repositoryApiUrl(world, repository)}/check-suites/${suite.id}`;
  return {
    id: suite.id,
    node_id: nodeId('CheckSuite', suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    ...(suite.rerequested === true ? suiteState([]) : suiteState(runs)),
    url,
    before: suite.before,
    after: suite.headSha,
    pull_requests: pullsWithHead(world, suite.repositoryId, suite.headSha),
    app: presentApp(world),
    created_at: iso(suite.createdAt),
    updated_at: iso(suite.createdAt),
    latest_check_runs_count: runs.length,
    check_runs_url: `${url}/check-runs`,
    rerequestable: true,
    runs_rerequestable: true,
  };
}

export function presentCheckSuite(
  world: World,
  suite: CheckSuite,
  headCommit: Schemas['simple-commit'],
): Schemas['check-suite'] {
  const repository = presentRepository(world, world.tables.repositories.get(suite.repositoryId));
  return { ...suiteBasics(world, suite), repository, head_commit: headCommit };
}

/** As `check_suite` events show it. */
export function presentSuiteEvent(world: World, suite: CheckSuite, headCommit: Schemas['simple-commit']) {
  return { ...suiteBasics(world, suite), head_commit: headCommit };
}

/** As `check_run` events show it: with its suite, and with the buttons that were offered. */
export function presentCheckRunEvent(world: World, run: CheckRun) {
  const suite = suiteBasics(world, world.tables.checkSuites.get(run.suiteId));
  return { ...presentCheckRun(world, run), check_suite: suite, actions: run.actions };
}
