/** What the sandbox remembers: GitHub's nouns as plain rows. Times are milliseconds since the epoch. */
import type { components } from '@octokit/openapi-types';

type Schemas = components['schemas'];

export interface Row {
  readonly id: number;
}

export type Role = 'read' | 'triage' | 'write' | 'maintain' | 'admin';
export type Permissions = Schemas['app-permissions'];
export type PermissionName = keyof Permissions;

export interface User extends Row {
  readonly login: string;
  readonly type: 'User' | 'Organization' | 'Bot';
  readonly createdAt: number;
  /** SHA-256 of every password or token that signs this user in. */
  readonly secretHashes: readonly string[];
}

export interface Repository extends Row {
  readonly ownerId: number;
  readonly name: string;
  readonly defaultBranch: string;
  readonly private: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly pushedAt: number;
  readonly lastIssueNumber: number;
  readonly collaborators: readonly { readonly userId: number; readonly role: Role }[];
}

/** A name a repository once had; GitHub redirects it. */
export interface FormerName extends Row {
  readonly repositoryId: number;
  readonly owner: string;
  readonly name: string;
}

export interface Installation extends Row {
  readonly accountId: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly suspendedAt: number | null;
  readonly selection: 'all' | 'selected';
  readonly repositoryIds: readonly number[];
  readonly permissions: Permissions;
}

export interface InstallationToken extends Row {
  readonly hash: string;
  readonly installationId: number;
  readonly expiresAt: number;
  readonly permissions: Permissions;
  /** `null`: every repository of the installation. */
  readonly repositoryIds: readonly number[] | null;
}

export interface Deployment extends Row {
  readonly repositoryId: number;
  readonly sha: string;
  readonly ref: string;
  readonly task: string;
  readonly environment: string;
  readonly originalEnvironment: string;
  readonly payload: string | Readonly<Record<string, unknown>>;
  readonly description: string | null;
  readonly transient: boolean;
  readonly production: boolean;
  readonly creatorId: number;
  readonly byApp: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type DeploymentState = Schemas['deployment-status']['state'];

export interface DeploymentStatus extends Row {
  readonly deploymentId: number;
  readonly repositoryId: number;
  readonly state: DeploymentState;
  readonly description: string;
  readonly environment: string;
  readonly environmentUrl: string;
  readonly logUrl: string;
  readonly creatorId: number;
  readonly byApp: boolean;
  readonly createdAt: number;
}

export interface Environment extends Row {
  readonly repositoryId: number;
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface CheckSuite extends Row {
  readonly repositoryId: number;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly before: string | null;
  readonly createdAt: number;
  /** Somebody asked for it again, and the App has not said anything since. */
  readonly rerequested?: boolean;
}

export type CheckStatus = 'queued' | 'in_progress' | 'completed';
export type CheckConclusion = NonNullable<Schemas['check-run']['conclusion']>;
export type Annotation = Omit<Schemas['check-annotation'], 'blob_href'>;

export interface CheckAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

export interface CheckRun extends Row {
  readonly repositoryId: number;
  readonly suiteId: number;
  readonly name: string;
  readonly headSha: string;
  readonly externalId: string;
  readonly detailsUrl: string | null;
  readonly status: CheckStatus;
  readonly conclusion: CheckConclusion | null;
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly output: { readonly title: string | null; readonly summary: string | null; readonly text: string | null };
  readonly annotations: readonly Annotation[];
  readonly actions: readonly CheckAction[];
}

export type CommitState = 'error' | 'failure' | 'pending' | 'success';

export interface CommitStatus extends Row {
  readonly repositoryId: number;
  readonly sha: string;
  readonly state: CommitState;
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creatorId: number;
  readonly createdAt: number;
}

export interface PullRequest {
  readonly headRepositoryId: number;
  readonly headRef: string;
  readonly headSha: string;
  readonly baseRef: string;
  readonly baseSha: string;
  readonly draft: boolean;
  readonly merged: { readonly at: number; readonly byId: number; readonly sha: string } | null;
}

/** An issue; a pull request is an issue that carries one. */
export interface Issue extends Row {
  readonly repositoryId: number;
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly authorId: number;
  readonly state: 'open' | 'closed';
  readonly closedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly pull: PullRequest | null;
}

export interface Comment extends Row {
  readonly repositoryId: number;
  readonly issueNumber: number;
  readonly body: string;
  readonly authorId: number;
  readonly byApp: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type ReactionContent = Schemas['reaction']['content'];

export interface Reaction extends Row {
  readonly repositoryId: number;
  readonly subject: 'issue' | 'comment';
  readonly subjectId: number;
  readonly content: ReactionContent;
  readonly userId: number;
  readonly createdAt: number;
}

/** One ref moved by one push; what the activity API lists. */
export interface RefUpdate extends Row {
  readonly repositoryId: number;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly kind: Schemas['activity']['activity_type'];
  readonly actorId: number;
  readonly at: number;
}

export interface Team extends Row {
  readonly organizationId: number;
  readonly slug: string;
  readonly name: string;
  readonly memberIds: readonly number[];
}

/** One attempt to deliver one webhook. A redelivery is another row with the same GUID. */
export interface Delivery extends Row {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
  readonly redelivery: boolean;
  readonly deliveredAt: number;
  readonly payload: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly outcome: DeliveryOutcome;
}

export type DeliveryOutcome =
  | { readonly kind: 'pending' }
  | {
      readonly kind: 'answered';
      readonly status: string;
      readonly statusCode: number;
      readonly seconds: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: 'failed'; readonly status: string; readonly statusCode: number; readonly seconds: number };
