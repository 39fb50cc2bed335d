/** The webhooks an App gets from the sandbox, by the names GitHub's description gives them. */

export const webhookNames = [
  'check-run-completed',
  'check-run-created',
  'check-run-requested-action',
  'check-run-rerequested',
  'check-suite-requested',
  'check-suite-rerequested',
  'create',
  'delete',
  'deployment-created',
  'deployment-status-created',
  'installation-created',
  'installation-deleted',
  'installation-repositories-added',
  'installation-repositories-removed',
  'installation-suspend',
  'installation-unsuspend',
  'issue-comment-created',
  'issue-comment-deleted',
  'issue-comment-edited',
  'issues-opened',
  'pull-request-closed',
  'pull-request-edited',
  'pull-request-opened',
  'pull-request-reopened',
  'pull-request-synchronize',
  'push',
  'repository-created',
  'repository-deleted',
  'repository-renamed',
  'repository-transferred',
  'status',
] as const;

export type WebhookName = (typeof webhookNames)[number];

export interface WebhookKind {
  readonly name: WebhookName;
  readonly event: string;
  readonly action: string | null;
}

const withoutAction: ReadonlySet<string> = new Set(['create', 'delete', 'push', 'status']);
const events = [
  'check_run',
  'check_suite',
  'deployment_status',
  'deployment',
  'installation_repositories',
  'installation',
  'issue_comment',
  'issues',
  'pull_request',
  'repository',
];

/** `check-run-rerequested` is the event `check_run` with the action `rerequested`. */
export function webhookKind(name: WebhookName): WebhookKind {
  if (withoutAction.has(name)) return { name, event: name, action: null };
  const underscored = name.replaceAll('-', '_');
  const event = events.find((each) => underscored.startsWith(`${each}_`));
  if (event === undefined) throw new Error(`The webhook ${name} belongs to no event.`);
  return { name, event, action: underscored.slice(event.length + 1) };
}

export const subscribedEvents = [...new Set(webhookNames.map((name) => webhookKind(name).event))].filter(
  (event) => !event.startsWith('installation'),
);
