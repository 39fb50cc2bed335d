/** `push`: into the ledger first; then the newest head of a branch is brought to the environments that follow it. */
import { decideArrival, isSurelyNewest } from '../../core/delivery/arrival.ts';
import { ignoredPush, type PushFacts } from '../../core/intent/push.ts';
import { IgnoredError, WaitingError } from '../../platform/errors/errors.ts';
import { fetchHead } from '../../platform/github/branches.ts';
import type { Db } from '../../prisma/client.ts';
import { otherHeads, recordHead, type Head, type NewHead } from '../../prisma/store/heads.ts';
import { ensureInstallation, type InstallationAccount } from '../../prisma/store/installations.ts';
import {
  findRepository,
  lockRepository,
  type RepositoryFacts,
  type RepositoryState,
} from '../../prisma/store/repositories.ts';
import { bringCommit } from '../deploy/bring-commit.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { learnUnsuspended } from '../standing/installation.ts';
import { learnRepository, meetRepository } from '../standing/repository.ts';
import { installationOf, parsePayload, PushPayload, repositoryFacts } from './payloads.ts';

const everywhere = { environments: null, configCheckRun: null };

/** How often the ledger may grow under our hands before the job is given back. */
const maxRounds = 5;

export async function handlePush(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const push = parsePayload(PushPayload, event);
  const head = headOf(push, event);
  const repository = await recordPush(deps, { push, head, event });
  const facts = factsOf(push, repository);
  const early = ignoredPush(facts);
  if (early !== null) throw new IgnoredError(early.code, early.reason);
  for (let round = 0; round < maxRounds; round++) {
    const others = await otherHeads(deps.database.db, head);
    await insistNewest(deps, repository, { head, others });
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

function factsOf(push: PushPayload, repository: RepositoryState): PushFacts {
  const { defaultBranch, removed, installation } = repository;
  return {
    ref: push.ref,
    after: push.after,
    repository: { defaultBranch, archived: push.repository.archived ?? false, removed },
    installation,
  };
}

/** A push may be the first that is heard of its repository or installation. It is written down before GitHub is asked anything. */
async function recordPush(
  deps: HandlerDeps,
  { push, head, event }: { push: PushPayload; head: NewHead; event: ReceivedEvent },
): Promise<RepositoryState> {
  const installationId = installationOf(push);
  const facts = repositoryFacts(push.repository, installationId);
  const met = await meetPushed(deps, facts, push.repository.owner);
  await recordHead(deps.database.db, head);
  const repository = await learnRepository(deps, event, { told: { facts, included: true }, met });
  if (!repository.installation.suspended || repository.installation.id !== installationId) return repository;
  await learnUnsuspended(deps, event, installationId);
  return meetRepository(deps, facts);
}

async function meetPushed(deps: HandlerDeps, facts: RepositoryFacts, owner: InstallationAccount) {
  const known = await findRepository(deps.database.db, facts.id);
  if (known?.installation.id === facts.installationId) return known;
  await ensureInstallation(deps.database.db, facts.installationId, owner);
  return meetRepository(deps, facts);
}

/** Throws IgnoredError when the branch has moved on, WaitingError when GitHub may not know yet. */
async function insistNewest(
  deps: HandlerDeps,
  repository: RepositoryState,
  { head, others }: { head: NewHead; others: readonly Head[] },
): Promise<void> {
  if (isSurelyNewest(head, others)) return;
  const client = await deps.github.forInstallation(repository.installation.id);
  const atGithub = await fetchHead(client, repository.id, head.ref);
  const now = deps.now().getTime();
  const decision = decideArrival({ push: head, atGithub, ageMs: now - head.arrivedAt.getTime() });
  switch (decision.kind) {
    case 'newest':
      return;
    case 'ignored':
      throw new IgnoredError(decision.code, decision.reason);
    case 'wait':
      throw new WaitingError(decision.code, decision.reason, { until: new Date(now + decision.afterMs) });
  }
}

/** Another push may have arrived while GitHub was asked. Holds the repository until the transaction ends. */
async function ledgerIsStill(tx: Db, head: NewHead, seen: readonly Head[]): Promise<boolean> {
  await lockRepository(tx, head.repositoryId);
  const now = await otherHeads(tx, head);
  return now.length === seen.length && now.every(({ after }, index) => after === seen[index]?.after);
}
