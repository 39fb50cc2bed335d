/** Brings a commit to its environments: resolved at GitHub, then accepted or refused in one transaction, then woken. */
import type { PushFacts } from '../../core/intent/push.ts';
import { brokenReason, type BrokenConfig } from '../../core/report/broken-config.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { fetchHead } from '../../platform/github/branches.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { reportBrokenConfig, reportConfigAgain } from '../../prisma/store/check-runs.ts';
import { settleDelivery } from '../../prisma/store/deliveries.ts';
import { acceptIntent, type AcceptedIntent } from '../../prisma/store/intents.ts';
import type { Lane } from '../../prisma/store/outbox.ts';
import { ensureProject, saveRules } from '../../prisma/store/projects.ts';
import type { RepositoryState } from '../../prisma/store/repositories.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { tellOutcome } from '../deliveries/tell-outcome.ts';
import { resolveCommit, type ResolvedCommit } from './resolve-commit.ts';
import { wakeAccepted, wakeLane } from './wake.ts';

export interface CommitRequest {
  event: ReceivedEvent;
  repository: RepositoryState;
  facts: PushFacts;
  trigger: 'push' | 'rerequested';
  /** GitHub login. */
  actor: string;
  /** Only these; null: whichever the rules name. */
  environments: readonly string[] | null;
  /** External id of the check run of a broken configuration that was asked for again; null: none was. */
  configCheckRun: string | null;
}

/**
 * `stillWanted` is asked inside the transaction, before anything is written; when it says no, false is returned and nothing was done.
 * Throws IgnoredError with the reason when the commit is not deployed.
 */
export async function bringCommit(
  deps: HandlerDeps,
  request: CommitRequest,
  stillWanted: (tx: Db) => Promise<boolean>,
): Promise<boolean> {
  const { repository, facts, environments } = request;
  const client = await deps.github.forInstallation(repository.installation.id);
  const { id: repositoryId, defaultBranch } = repository;
  const rulesSha = await rulesCommit(client, request);
  const at = { repositoryId, defaultBranch, sha: facts.after };
  const resolved = await resolveCommit(client, { ...at, facts, rulesSha, environments });
  switch (resolved.kind) {
    case 'ignored':
      if (!(await takeRules(deps, request, { resolved, stillWanted }))) return false;
      throw new IgnoredError(resolved.code, resolved.reason);
    case 'broken':
      return refuse(deps, request, { resolved, stillWanted });
    case 'deploy':
      return accept(deps, request, { resolved, stillWanted });
  }
}

/** The default branch's head: the push itself when it is its newest, else what GitHub has now. An old commit never gives the rules. */
async function rulesCommit(
  client: GithubClient,
  { repository, facts, trigger }: CommitRequest,
): Promise<string | null> {
  const defaultRef = `refs/heads/${repository.defaultBranch}`;
  if (trigger === 'push' && facts.ref === defaultRef) return facts.after;
  return fetchHead(client, repository.id, defaultRef);
}

interface Outcome<Kind extends ResolvedCommit['kind']> {
  resolved: Extract<ResolvedCommit, { kind: Kind }>;
  stillWanted: (tx: Db) => Promise<boolean>;
}

/** A push that deploys nothing may still say which environments there are. */
async function takeRules(
  deps: HandlerDeps,
  { repository }: CommitRequest,
  { resolved: { rules }, stillWanted }: Outcome<'ignored'>,
): Promise<boolean> {
  if (rules === null) return true;
  return transaction(deps.database, async (tx) => {
    if (!(await stillWanted(tx))) return false;
    await saveRules(tx, await ensureProject(tx, repository.id), rules);
    return true;
  });
}

async function accept(deps: HandlerDeps, request: CommitRequest, outcome: Outcome<'deploy'>): Promise<boolean> {
  const { consoleUrl, containerUrl } = deps;
  const now = deps.now();
  const { targets, rules } = outcome.resolved;
  const accepted = await transaction(deps.database, async (tx) => {
    if (!(await outcome.stillWanted(tx))) return null;
    const projectId = await ensureProject(tx, request.repository.id);
    if (rules !== null) await saveRules(tx, projectId, rules);
    const intents: AcceptedIntent[] = [];
    for (const { services, ...environment } of targets) {
      const intent = {
        projectId,
        environment,
        services,
        sha: request.facts.after,
        ref: request.facts.ref,
        trigger: request.trigger,
        actor: request.actor,
        deliveryGuid: request.event.guid,
        requestedAt: request.event.receivedAt,
      };
      intents.push(await acceptIntent(tx, intent, { consoleUrl, containerUrl, now }));
    }
    await settleDelivery(tx, request.event.guid, { status: 'processed' }, now);
    return { intents, lane: await reportAgain(tx, request, { broken: null, now }) };
  });
  if (accepted === null) return false;
  await wakeAccepted(deps, accepted.intents);
  await wakeLane(deps, accepted.lane);
  return true;
}

/** Files that cannot be taken: a check run says where, and what runs runs on. */
async function refuse(deps: HandlerDeps, request: CommitRequest, outcome: Outcome<'broken'>): Promise<boolean> {
  const now = deps.now();
  const { repository, facts, event } = request;
  const { code, of, issues, rules } = outcome.resolved;
  const ended = { status: 'ignored', code, reason: brokenReason({ code, of, issues }) } as const;
  const owes = await transaction(deps.database, async (tx) => {
    if (!(await outcome.stillWanted(tx))) return null;
    if (rules !== null) await saveRules(tx, await ensureProject(tx, repository.id), rules);
    const broken = { repositoryId: repository.id, sha: facts.after, code, of, issues };
    const created = await reportBrokenConfig(tx, repository.installation.id, broken, now);
    const lane = (await reportAgain(tx, request, { broken, now })) ?? created;
    await settleDelivery(tx, event.guid, ended, now);
    return { lane };
  });
  if (owes === null) return false;
  tellOutcome(deps.log, { guid: event.guid, event: event.name }, ended);
  await wakeLane(deps, owes.lane);
  return true;
}

async function reportAgain(
  tx: Db,
  { event, repository, configCheckRun }: CommitRequest,
  { broken, now }: { broken: BrokenConfig | null; now: Date },
): Promise<Lane | null> {
  if (configCheckRun === null) return null;
  const again = { repositoryId: repository.id, externalId: configCheckRun, deliveryGuid: event.guid, broken };
  return reportConfigAgain(tx, repository.installation.id, again, now);
}
