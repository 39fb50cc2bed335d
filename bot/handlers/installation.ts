/** `installation` and `installation_repositories`: what the app may see. */
import { transaction, type Db } from '../../prisma/client.ts';
import { removeInstallation, upsertInstallation } from '../../prisma/store/installations.ts';
import { removeRepositories, upsertRepository } from '../../prisma/store/repositories.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { wakeBuilds } from '../deploy/wake.ts';
import {
  InstallationPayload,
  InstallationRepositoriesPayload,
  installationFacts,
  listedRepositoryFacts,
  parsePayload,
} from './payloads.ts';

/** Installed, suspended, unsuspended, or other permissions: the payload says how it stands now. */
export async function handleInstallationChanged(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(InstallationPayload, event);
  const facts = installationFacts(payload);
  await transaction(deps.database, async (tx) => {
    await upsertInstallation(tx, facts);
    await includeRepositories(tx, payload.repositories ?? [], facts.id);
  });
}

export async function handleInstallationDeleted(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const facts = installationFacts(parsePayload(InstallationPayload, event));
  const builds = await transaction(deps.database, async (tx) => {
    await removeInstallation(tx, facts, event.receivedAt);
    return removeRepositories(tx, { installationId: facts.id }, event.receivedAt);
  });
  await wakeBuilds(deps, builds);
}

export async function handleInstallationRepositories(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(InstallationRepositoriesPayload, event);
  const facts = installationFacts(payload);
  const builds = await transaction(deps.database, async (tx) => {
    await upsertInstallation(tx, facts);
    await includeRepositories(tx, payload.repositories_added, facts.id);
    const ids = payload.repositories_removed.map(({ id }) => id);
    return removeRepositories(tx, { ids, installationId: facts.id }, event.receivedAt);
  });
  await wakeBuilds(deps, builds);
}

async function includeRepositories(
  db: Db,
  repositories: NonNullable<InstallationPayload['repositories']>,
  installationId: number,
): Promise<void> {
  for (const repository of repositories) await upsertRepository(db, listedRepositoryFacts(repository, installationId));
}
