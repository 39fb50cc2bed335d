/** `repository`: renamed, transferred, edited or deleted. The row is found by GitHub's number, so names may change (P47). */
import { transaction } from '../../prisma/client.ts';
import { ensureInstallation } from '../../prisma/store/installations.ts';
import { refreshRepository, removeRepositories } from '../../prisma/store/repositories.ts';
import { wakeBuilds } from '../deploy/wake.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { installationOf, parsePayload, repositoryFacts, RepositoryPayload } from './payloads.ts';

/** A new name, owner, visibility or default branch. */
export async function handleRepositoryChanged(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(RepositoryPayload, event);
  const installationId = installationOf(payload);
  await transaction(deps.database, async (tx) => {
    await ensureInstallation(tx, installationId, payload.repository.owner);
    await refreshRepository(tx, repositoryFacts(payload.repository, installationId));
  });
}

/** What was built of it ends with that reason; what runs of it runs on. */
export async function handleRepositoryDeleted(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const { repository } = parsePayload(RepositoryPayload, event);
  const builds = await transaction(deps.database, (tx) =>
    removeRepositories(tx, { ids: [repository.id] }, event.receivedAt),
  );
  await wakeBuilds(deps, builds);
}
