/** Check runs: created once, however often the write is tried, and updated. */
import Type, { type Static } from 'typebox';
import type { CreateCheckRun, UpdateCheckRun } from '../../core/report/writes.ts';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

const Created = Type.Object({ id: Type.Integer() });
const CheckRunList = Type.Object({
  check_runs: Type.Array(Type.Object({ id: Type.Integer(), external_id: Type.Union([Type.String(), Type.Null()]) })),
});

const pageSize = 100;

export interface CheckRunKey {
  repositoryId: number;
  sha: string;
  name: string;
  externalId: string;
}

/** GitHub's id of the check run with this external id on the commit; null when there is none. */
export async function findCheckRun(client: GithubClient, key: CheckRunKey): Promise<number | null> {
  for (let page = 1; ; page++) {
    const response = await requestOrNull(client, 'GET /repositories/{repository_id}/commits/{ref}/check-runs', {
      repository_id: key.repositoryId,
      ref: key.sha,
      check_name: key.name,
      filter: 'all',
      per_page: pageSize,
      page,
    });
    if (response === null) return null;
    const { check_runs: runs } = parseAnswer(CheckRunList, response);
    const found = runs.find((run) => run.external_id === key.externalId);
    if (found !== undefined) return found.id;
    if (runs.length < pageSize) return null;
  }
}

/** Creates the check run and gives GitHub's id. From the second attempt on it looks first (P38). Attempts count from 1. */
export async function sendCheckRunCreate(
  client: GithubClient,
  write: Static<typeof CreateCheckRun>,
  attempt: number,
): Promise<number> {
  if (attempt > 1) {
    const { name, head_sha: sha, external_id: externalId } = write.body;
    const existing = await findCheckRun(client, { repositoryId: write.repositoryId, sha, name, externalId });
    if (existing !== null) return existing;
  }
  const response = await client.request('POST /repositories/{repository_id}/check-runs', {
    repository_id: write.repositoryId,
    ...write.body,
  });
  return parseAnswer(Created, response).id;
}

/** Sets what the check run shows. GitHub appends annotations, so from the second attempt on only those it lacks are sent (P38). */
export async function sendCheckRunUpdate(
  client: GithubClient,
  write: Static<typeof UpdateCheckRun>,
  sending: { checkRunId: number; attempt: number },
): Promise<void> {
  const at = { repository_id: write.repositoryId, check_run_id: sending.checkRunId };
  const { annotations, ...output } = write.body.output;
  const isThere = annotations !== undefined && sending.attempt > 1 && (await hasAnnotations(client, at));
  await client.request('PATCH /repositories/{repository_id}/check-runs/{check_run_id}', {
    ...at,
    ...write.body,
    output: annotations === undefined || isThere ? output : { ...output, annotations },
  });
}

const Shown = Type.Object({ output: Type.Object({ annotations_count: Type.Integer() }) });

async function hasAnnotations(
  client: GithubClient,
  at: { repository_id: number; check_run_id: number },
): Promise<boolean> {
  const response = await client.request('GET /repositories/{repository_id}/check-runs/{check_run_id}', at);
  return parseAnswer(Shown, response).output.annotations_count > 0;
}
