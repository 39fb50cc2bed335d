/** `check_run.rerequested` and `check_suite.rerequested`: a person asks for the same commit again. */
import type { PushFacts } from '../../core/intent/push.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { transaction } from '../../prisma/client.ts';
import { findMirroredCheckRun, intentsOfCommit } from '../../prisma/store/check-runs.ts';
import { reportEndAgain } from '../../prisma/store/report.ts';
import { findRepository, type RepositoryState } from '../../prisma/store/repositories.ts';
import { bringCommit } from '../deploy/bring-commit.ts';
import { wakeLane } from '../deploy/wake.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { CheckRunPayload, CheckSuitePayload, installationOf, parsePayload } from './payloads.ts';

interface Again {
  ref: string;
  sha: string;
  environments: string[] | null;
  configCheckRun: string | null;
}

export async function handleCheckRunRerequested(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(CheckRunPayload, event);
  installationOf(payload);
  const { external_id: externalId, head_sha: sha, status, check_suite: suite } = payload.check_run;
  const repository = await knownRepository(deps, payload.repository.id);
  const mirrored = await findMirroredCheckRun(deps.database.db, repository.id, externalId ?? '');
  if (mirrored === null) throw new IgnoredError('check_run_unknown', 'The check run is none of ours.');
  if (mirrored.kind === 'intent' && status !== undefined && status !== 'completed')
    await endAgain(deps, event, mirrored.intent.id);
  const again =
    mirrored.kind === 'intent'
      ? { ...mirrored.intent, environments: [mirrored.intent.environment], configCheckRun: null }
      : { ref: refOf(suite.head_branch), sha, environments: null, configCheckRun: mirrored.externalId };
  await bringAgain(deps, event, { repository, again, actor: payload.sender?.login ?? 'unknown' });
}

/**
 * What is asked for gets a check run of its own. GitHub leaves the one that was pressed as it is; one that an older GitHub
 * Enterprise Server has set back to queued is ended as it was.
 */
async function endAgain(deps: HandlerDeps, { guid }: ReceivedEvent, intentId: string): Promise<void> {
  const { consoleUrl, containerUrl } = deps;
  const context = { consoleUrl, containerUrl, now: deps.now() };
  const owes = await transaction(deps.database, (tx) => reportEndAgain(tx, { intentId, deliveryGuid: guid }, context));
  await wakeLane(deps, owes);
}

/** Every environment that the commit was brought to; a commit that never was is looked at as if it were pushed. */
export async function handleCheckSuiteRerequested(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(CheckSuitePayload, event);
  installationOf(payload);
  const { head_sha: sha, head_branch: branch } = payload.check_suite;
  const repository = await knownRepository(deps, payload.repository.id);
  const intents = await intentsOfCommit(deps.database.db, repository.id, sha);
  const [first] = intents;
  const again: Again =
    first === undefined
      ? { ref: refOf(branch), sha, environments: null, configCheckRun: null }
      : { ref: first.ref, sha, environments: intents.map(({ environment }) => environment), configCheckRun: null };
  await bringAgain(deps, event, { repository, again, actor: payload.sender?.login ?? 'unknown' });
}

function refOf(branch: string | null): string {
  if (branch !== null) return `refs/heads/${branch}`;
  throw new IgnoredError('not_a_branch', 'GitHub does not name the branch of this commit.');
}

async function knownRepository(deps: HandlerDeps, id: number): Promise<RepositoryState> {
  const repository = await findRepository(deps.database.db, id);
  if (repository === null)
    throw new IgnoredError('repository_unknown', 'Nothing was ever pushed to this repository here.');
  return repository;
}

async function bringAgain(
  deps: HandlerDeps,
  event: ReceivedEvent,
  { repository, again, actor }: { repository: RepositoryState; again: Again; actor: string },
): Promise<void> {
  const facts: PushFacts = {
    ref: again.ref,
    after: again.sha,
    repository: { defaultBranch: repository.defaultBranch, archived: false, removed: repository.removed },
    installation: repository.installation,
  };
  const { environments, configCheckRun } = again;
  const request = { event, repository, facts, trigger: 'rerequested', actor, environments, configCheckRun } as const;
  await bringCommit(deps, request, () => Promise.resolve(true));
}
