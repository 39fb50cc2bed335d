/** `push`: into the ledger first; then the newest head of a branch is brought to the environments that follow it. */
import { ignoredPush, type PushFacts } from '../../core/intent/push.ts';
import { reasons } from '../../core/intent/reasons.ts';
import { IgnoredError, WaitingError } from '../../platform/errors/errors.ts';
import { fetchHead, fetchRepository } from '../../platform/github/branches.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { otherHeads, recordHead, type Head, type NewHead } from '../../prisma/store/heads.ts';
import { ensureInstallation } from '../../prisma/store/installations.ts';
import {
  findRepository,
  lockRepository,
  refreshRepository,
  upsertRepository,
  type RepositoryState,
} from '../../prisma/store/repositories.ts';
import { surelyNewest } from '../deploy/arrival.ts';
import { bringCommit } from '../deploy/bring-commit.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { installationOf, parsePayload, PushPayload, repositoryFacts } from './payloads.ts';

const everywhere = { environments: null, configCheckRun: null };

/** How often the ledger may grow under our hands before the job is given back. */
const maxRounds = 5;

export async function handlePush(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const push = parsePayload(PushPayload, event);
  const head = headOf(push, event);
  const repository = await recordPush(deps, { push, head });
  const facts = factsOf(push, repository);
  const early = ignoredPush(facts);
  if (early !== null) throw new IgnoredError(early.code, early.reason);
  for (let round = 0; round < maxRounds; round++) {
    const others = await otherHeads(deps.database.db, head);
    if (!surelyNewest(head, others)) await askWhetherNewest(deps, repository, head);
    const request = { event, repository, facts, trigger: 'push', actor: actorOf(push), ...everywhere } as const;
    if (await bringCommit(deps, request, (tx) => ledgerIsStill(tx, head, others))) return;
  }
  throw new Error(`The ledger of ${head.ref} changed ${maxRounds} times while a push of it was decided.`);
}

function headOf(push: PushPayload, event: ReceivedEvent): NewHead {
  const { ref, before, after, forced, repository } = push;
  return {
    repositoryId: repository.id,
    ref,
    before,
    after,
    forced,
    deliveryGuid: event.guid,
    arrivedAt: event.receivedAt,
  };
}

function actorOf(push: PushPayload): string {
  return push.sender?.login ?? 'unknown';
}

/** The order of arrivals is settled apart, with GitHub's help, so the facts name no other heads. */
function factsOf(push: PushPayload, repository: RepositoryState): PushFacts {
  const { defaultBranch, removed, installation } = repository;
  return {
    ref: push.ref,
    before: push.before,
    after: push.after,
    repository: { defaultBranch, archived: push.repository.archived ?? false, removed },
    installation,
    heads: [],
  };
}

/** A push may be the first that is heard of its repository or installation. */
async function recordPush(
  deps: HandlerDeps,
  { push, head }: { push: PushPayload; head: NewHead },
): Promise<RepositoryState> {
  const installationId = installationOf(push);
  const repository = await transaction(deps.database, async (tx) => {
    await ensureInstallation(tx, installationId, push.repository.owner);
    await refreshRepository(tx, repositoryFacts(push.repository, installationId));
    await recordHead(tx, head);
    return stateOf(tx, push.repository.id);
  });
  return repository.removed && !repository.installation.removed ? askWhetherRemoved(deps, repository) : repository;
}

async function stateOf(db: Db, repositoryId: number): Promise<RepositoryState> {
  const state = await findRepository(db, repositoryId);
  if (state === null) throw new IgnoredError('subject_gone', `The repository ${repositoryId} was deleted here.`);
  return state;
}

/** Pushed to after it was removed: the push is late, or the news that the repository is back is. */
async function askWhetherRemoved(deps: HandlerDeps, repository: RepositoryState): Promise<RepositoryState> {
  const installationId = repository.installation.id;
  const seen = await fetchRepository(await deps.github.forInstallation(installationId), repository.id);
  if (seen === null) return repository;
  await upsertRepository(deps.database.db, { ...seen, installationId });
  return stateOf(deps.database.db, repository.id);
}

/** For this long after a push, GitHub's answer may be older than the push. */
const staleMs = 10_000;
const askAgainMs = 2_000;

/** Throws IgnoredError when the branch has moved on, WaitingError when GitHub may not know yet. */
async function askWhetherNewest(deps: HandlerDeps, repository: RepositoryState, head: NewHead): Promise<void> {
  const client = await deps.github.forInstallation(repository.installation.id);
  const current = await fetchHead(client, repository.id, head.ref);
  if (current === head.after) return;
  const now = deps.now().getTime();
  if (current === head.before && now - head.arrivedAt.getTime() < staleMs) {
    throw new WaitingError('github_behind', `GitHub still shows ${head.ref} as it was before the push.`, {
      until: new Date(now + askAgainMs),
    });
  }
  throw new IgnoredError('out_of_order', reasons.out_of_order.means);
}

/** Another push may have arrived while GitHub was asked. Holds the repository until the transaction ends. */
async function ledgerIsStill(tx: Db, head: NewHead, seen: readonly Head[]): Promise<boolean> {
  await lockRepository(tx, head.repositoryId);
  const now = await otherHeads(tx, head);
  return now.length === seen.length && now.every(({ after }, index) => after === seen[index]?.after);
}
