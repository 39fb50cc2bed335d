/** Builds a webhook around its subject, checks it against GitHub's description, and hands it to delivery. */
import { assertWebhook } from '../openapi/validator.ts';
import { presentInstallation, presentInstallationName } from '../present/app.ts';
import { nodeId } from '../present/time.ts';
import { presentRepository } from '../present/repository.ts';
import { presentUser } from '../present/user.ts';
import type { Installation, Repository, User } from '../state/model.ts';
import { installationOf, owner, type World } from '../world.ts';
import { webhookKind, type WebhookName } from './names.ts';

type Subject = Readonly<Record<string, unknown>>;

/** As webhooks show the organization that owns a repository. */
function presentOrganization(world: World, organization: User) {
  const url = `${world.apiUrl}/orgs/${organization.login}`;
  return {
    login: organization.login,
    id: organization.id,
    node_id: nodeId('Organization', organization.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: presentUser(world, organization).avatar_url,
    description: null,
  };
}

export interface RepositoryWebhook {
  readonly name: WebhookName;
  readonly repository: Repository;
  readonly sender: User;
  readonly subject: Subject;
  /** For what happened to a repository that its installation no longer reaches. */
  readonly installation?: Installation;
}

/** To the App, when it is installed on the repository and not suspended. */
export function emit(world: World, webhook: RepositoryWebhook): void {
  const installation = webhook.installation ?? installationOf(world, webhook.repository);
  if (installation === undefined || installation.suspendedAt !== null) return;
  const { event, action, name } = webhookKind(webhook.name);
  const account = owner(world, webhook.repository);
  const payload = {
    ...(action === null ? {} : { action }),
    ...(webhook.subject['repository'] === undefined
      ? { repository: presentRepository(world, webhook.repository) }
      : {}),
    ...webhook.subject,
    ...(account.type === 'Organization' ? { organization: presentOrganization(world, account) } : {}),
    sender: presentUser(world, webhook.sender),
    installation: presentInstallationName(installation),
  };
  assertWebhook(name, payload);
  const repositoryId = webhook.repository.id;
  world.deliveries.send({ event, action, installationId: installation.id, repositoryId, payload });
}

export interface InstallationWebhook {
  readonly name: WebhookName;
  readonly installation: Installation;
  readonly sender: User;
  readonly subject: Subject;
}

/** About the installation itself; suspended ones are told too. */
export function emitInstallation(world: World, webhook: InstallationWebhook): void {
  const { event, action, name } = webhookKind(webhook.name);
  const { installation } = webhook;
  const payload = {
    action,
    installation: presentInstallation(world, installation),
    ...webhook.subject,
    sender: presentUser(world, webhook.sender),
  };
  assertWebhook(name, payload);
  world.deliveries.send({ event, action, installationId: installation.id, repositoryId: null, payload });
}
