/** `repository`: renamed, transferred, edited or deleted. The row is found by GitHub's number, so names may change (P47). */
import { transaction } from '../../prisma/client.ts';
import { ensureInstallation } from '../../prisma/store/installations.ts';
import { insertRepositories, removeRepositories } from '../../prisma/store/repositories.ts';
import { wakeBuilds } from '../deploy/wake.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { learnRepository, meetRepository } from '../standing/repository.ts';
import { installationOf, parsePayload, repositoryFacts, RepositoryPayload } from './payloads.ts';

/** A new name, owner, visibility or default branch. */
export async function handleRepositoryChanged(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(RepositoryPayload, event);
  const installationId = installationOf(payload);
  const facts = repositoryFacts(payload.repository, installationId);
  await ensureInstallation(deps.database.db, installationId, payload.repository.owner);
  const met = await meetRepository(deps, facts);
  await learnRepository(deps, event, { told: { facts, included: true }, met });
}

/** What was built of it ends with that reason; what runs of it runs on. */
export async function handleRepositoryDeleted(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const { repository, installation } = parsePayload(RepositoryPayload, event);
  const now = deps.now();
  const builds = await transaction(deps.database, async (tx) => {
    if (installation !== undefined) {
      // Remembered as deleted, should what happened to it before be heard of only now.
      await ensureInstallation(tx, installation.id, repository.owner);
      await insertRepositories(tx, [repositoryFacts(repository, installation.id)], { removedAt: now });
    }
    return removeRepositories(tx, { ids: [repository.id] }, now);
  });
  await wakeBuilds(deps, builds);
}
