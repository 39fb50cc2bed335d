/** `installation` and `installation_repositories`: what the app may see. */
import { transaction } from '../../prisma/client.ts';
import { removeInstallation } from '../../prisma/store/installations.ts';
import { removeRepositories } from '../../prisma/store/repositories.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { wakeBuilds } from '../deploy/wake.ts';
import { learnInstallation } from '../standing/installation.ts';
import { learnRepositories } from '../standing/repository.ts';
import {
  InstallationPayload,
  InstallationRepositoriesPayload,
  installationFacts,
  listedRepositoryFacts,
  parsePayload,
} from './payloads.ts';

/** Installed, suspended, unsuspended, or other permissions. */
export async function handleInstallationChanged(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(InstallationPayload, event);
  const installation = installationFacts(payload);
  await learnInstallation(deps, event, installation);
  const listed = payload.repositories ?? [];
  const told = listed.map((each) => ({ facts: listedRepositoryFacts(each, installation.id), included: true }));
  await learnRepositories(deps, event, told);
}

/** It never comes back: the app gets another number when it is installed again. */
export async function handleInstallationDeleted(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const facts = installationFacts(parsePayload(InstallationPayload, event));
  const now = deps.now();
  const builds = await transaction(deps.database, async (tx) => {
    await removeInstallation(tx, facts, now);
    return removeRepositories(tx, { installationId: facts.id }, now);
  });
  await wakeBuilds(deps, builds);
}

export async function handleInstallationRepositories(deps: HandlerDeps, event: ReceivedEvent): Promise<void> {
  const payload = parsePayload(InstallationRepositoriesPayload, event);
  const installation = installationFacts(payload);
  await learnInstallation(deps, event, installation);
  const { repositories_added: added, repositories_removed: removed } = payload;
  const told = [added, removed].flatMap((list) =>
    list.map((each) => ({ facts: listedRepositoryFacts(each, installation.id), included: list === added })),
  );
  await learnRepositories(deps, event, told);
}
