/** Check runs: created once, however often the write is tried, and updated. */
import Type from 'typebox';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

export interface CheckRunAnnotation {
  path: string;
  startLine: number;
  endLine: number;
  level: 'notice' | 'warning' | 'failure';
  message: string;
}

export type CheckRunState =
  | { status: 'queued' }
  | { status: 'in_progress'; startedAt: Date }
  | { status: 'completed'; conclusion: 'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped'; completedAt: Date };

export interface CheckRunOutput {
  title: string;
  /** Markdown, ≤ 65,535 characters each. */
  summary: string;
  text: string | null;
  /** GitHub takes 50 in one request. */
  annotations: CheckRunAnnotation[];
}

export interface CheckRunContent {
  state: CheckRunState;
  detailsUrl: string | null;
  output: CheckRunOutput;
}

export interface CheckRunCreate extends CheckRunContent {
  name: string;
  headSha: string;
  /** Ours, and the key by which a created one is found again. */
  externalId: string;
}

const CheckRunAnswer = Type.Object({ id: Type.Integer() });
const CheckRunList = Type.Object({
  check_runs: Type.Array(Type.Object({ id: Type.Integer(), external_id: Type.Union([Type.String(), Type.Null()]) })),
});

/** GitHub's id of the check run with this external id on the commit; null when there is none. */
export async function findCheckRun(
  client: GithubClient,
  repositoryId: number,
  of: { headSha: string; name: string; externalId: string },
): Promise<number | null> {
  for (let page = 1; ; page++) {
    const response = await requestOrNull(client, 'GET /repositories/{repository_id}/commits/{ref}/check-runs', {
      repository_id: repositoryId,
      ref: of.headSha,
      check_name: of.name,
      filter: 'all',
      per_page: pageSize,
      page,
    });
    if (response === null) return null;
    const { check_runs: runs } = parseAnswer(CheckRunList, response);
    const found = runs.find((run) => run.external_id === of.externalId);
    if (found !== undefined) return found.id;
    if (runs.length < pageSize) return null;
  }
}

const pageSize = 100;

/** Creates the check run and gives GitHub's id. From the second attempt on it looks first (P38). */
export async function sendCheckRunCreate(
  client: GithubClient,
  repositoryId: number,
  write: CheckRunCreate & { attempt: number },
): Promise<number> {
  const existing = write.attempt > 1 ? await findCheckRun(client, repositoryId, write) : null;
  if (existing !== null) return existing;
  const response = await client.request('POST /repositories/{repository_id}/check-runs', {
    repository_id: repositoryId,
    name: write.name,
    head_sha: write.headSha,
    external_id: write.externalId,
    ...contentBody(write),
  });
  return parseAnswer(CheckRunAnswer, response).id;
}

/** Sets what the check run shows. Safe to repeat but for annotations, which GitHub appends. */
export async function sendCheckRunUpdate(
  client: GithubClient,
  repositoryId: number,
  write: CheckRunContent & { checkRunId: number },
): Promise<void> {
  await client.request('PATCH /repositories/{repository_id}/check-runs/{check_run_id}', {
    repository_id: repositoryId,
    check_run_id: write.checkRunId,
    ...contentBody(write),
  });
}

function contentBody({ state, detailsUrl, output }: CheckRunContent) {
  return {
    status: state.status,
    ...(state.status === 'in_progress' ? { started_at: state.startedAt.toISOString() } : {}),
    ...(state.status === 'completed'
      ? { conclusion: state.conclusion, completed_at: state.completedAt.toISOString() }
      : {}),
    ...(detailsUrl === null ? {} : { details_url: detailsUrl }),
    output: {
      title: output.title,
      summary: output.summary,
      ...(output.text === null ? {} : { text: output.text }),
      ...(output.annotations.length === 0 ? {} : { annotations: output.annotations.slice(0, 50).map(annotationBody) }),
    },
  };
}

function annotationBody(annotation: CheckRunAnnotation) {
  return {
    path: annotation.path,
    start_line: annotation.startLine,
    end_line: annotation.endLine,
    annotation_level: annotation.level,
    message: annotation.message,
  };
}
