/** The table of events that are worked on, and their registration on Probot. */
import type { Probot } from 'probot';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import {
  handleInstallationChanged,
  handleInstallationDeleted,
  handleInstallationRepositories,
} from './installation.ts';
import { handlePush } from './push.ts';
import { handleRepositoryChanged, handleRepositoryDeleted } from './repository.ts';
import { handleCheckRunRerequested, handleCheckSuiteRerequested } from './rerequested.ts';

type Handler = (deps: HandlerDeps, event: ReceivedEvent) => Promise<void>;

const handlers = {
  push: handlePush,
  'installation.created': handleInstallationChanged,
  'installation.new_permissions_accepted': handleInstallationChanged,
  'installation.suspend': handleInstallationChanged,
  'installation.unsuspend': handleInstallationChanged,
  'installation.deleted': handleInstallationDeleted,
  'installation_repositories.added': handleInstallationRepositories,
  'installation_repositories.removed': handleInstallationRepositories,
  'repository.renamed': handleRepositoryChanged,
  'repository.transferred': handleRepositoryChanged,
  'repository.edited': handleRepositoryChanged,
  'repository.publicized': handleRepositoryChanged,
  'repository.privatized': handleRepositoryChanged,
  'repository.archived': handleRepositoryChanged,
  'repository.unarchived': handleRepositoryChanged,
  'repository.deleted': handleRepositoryDeleted,
  'check_run.rerequested': handleCheckRunRerequested,
  'check_suite.rerequested': handleCheckSuiteRerequested,
} as const satisfies Record<string, Handler>;

export type HandledEvent = keyof typeof handlers;

/** `event` or `event.action`. */
export const handledEvents: ReadonlySet<string> = new Set(Object.keys(handlers));

/** `received` says when a delivery arrived, by its GUID. */
export function registerHandlers(probot: Probot, deps: HandlerDeps, received: (guid: string) => Promise<Date>): void {
  for (const [name, handler] of Object.entries(handlers) as [HandledEvent, Handler][]) {
    probot.on(name, async ({ id: guid, payload }) =>
      handler(deps, { guid, name, payload, receivedAt: await received(guid) }),
    );
  }
}
