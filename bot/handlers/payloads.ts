/** The parts of payloads that handlers use, and nothing more: what GitHub adds or leaves out elsewhere is no concern (P43). */
import Type, { type Static, type TSchema } from 'typebox';
import Value from 'typebox/value';
import { IgnoredError, InputError } from '../../platform/errors/errors.ts';
import type { InstallationFacts } from '../../prisma/store/installations.ts';
import type { RepositoryFacts } from '../../prisma/store/repositories.ts';
import type { ReceivedEvent } from '../deps.ts';

const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Sha = Type.String({ pattern: '^[0-9a-f]{40}$' });

const Account = Type.Object({ id: Id, login: Type.String(), type: Type.String() });

const Repository = Type.Object({
  id: Id,
  name: Type.String(),
  private: Type.Boolean(),
  default_branch: Type.String(),
  archived: Type.Optional(Type.Boolean()),
  owner: Account,
});

const Sender = Type.Object({ login: Type.String() });

/** Missing in what a repository's own webhook sends. */
const FromInstallation = Type.Optional(Type.Object({ id: Id }));

export const PushPayload = Type.Object({
  ref: Type.String(),
  before: Sha,
  after: Sha,
  forced: Type.Boolean(),
  repository: Repository,
  installation: FromInstallation,
  sender: Type.Optional(Sender),
});
export type PushPayload = Static<typeof PushPayload>;

export const RepositoryPayload = Type.Object({ repository: Repository, installation: FromInstallation });

const ListedRepository = Type.Object({ id: Id, full_name: Type.String(), private: Type.Boolean() });
const Installation = Type.Object({
  id: Id,
  account: Account,
  permissions: Type.Record(Type.String(), Type.String()),
  suspended_at: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

export const InstallationPayload = Type.Object({
  installation: Installation,
  repositories: Type.Optional(Type.Array(ListedRepository)),
});
export type InstallationPayload = Static<typeof InstallationPayload>;

export const InstallationRepositoriesPayload = Type.Object({
  installation: Installation,
  repositories_added: Type.Array(ListedRepository),
  repositories_removed: Type.Array(ListedRepository),
});

export const CheckRunPayload = Type.Object({
  check_run: Type.Object({
    external_id: Type.Union([Type.String(), Type.Null()]),
    head_sha: Sha,
    status: Type.Optional(Type.String()),
    check_suite: Type.Object({ head_branch: Type.Union([Type.String(), Type.Null()]) }),
  }),
  repository: Repository,
  installation: FromInstallation,
  sender: Type.Optional(Sender),
});

export const CheckSuitePayload = Type.Object({
  check_suite: Type.Object({ head_sha: Sha, head_branch: Type.Union([Type.String(), Type.Null()]) }),
  repository: Repository,
  installation: FromInstallation,
  sender: Type.Optional(Sender),
});

export function parsePayload<S extends TSchema>(schema: S, event: ReceivedEvent): Static<S> {
  if (Value.Check(schema, event.payload)) return event.payload;
  const [first] = Value.Errors(schema, event.payload);
  const path = first?.instancePath ?? '';
  throw new InputError(
    'payload_unusable',
    `The payload of ${event.name} ${first?.message ?? 'is unusable'} at ${path}/.`,
    {
      path,
    },
  );
}

/** What repository webhooks send is not for the app. */
export function installationOf(payload: { installation?: { id: number } | undefined }): number {
  if (payload.installation !== undefined) return payload.installation.id;
  throw new IgnoredError('no_installation', 'The event does not come from an installation of the app.');
}

export function repositoryFacts(repository: Static<typeof Repository>, installationId: number): RepositoryFacts {
  return {
    id: repository.id,
    installationId,
    owner: repository.owner.login,
    name: repository.name,
    private: repository.private,
    defaultBranch: repository.default_branch,
  };
}

export function listedRepositoryFacts(
  repository: Static<typeof ListedRepository>,
  installationId: number,
): RepositoryFacts {
  const [owner = '', name = ''] = repository.full_name.split('/');
  return { id: repository.id, installationId, owner, name, private: repository.private, defaultBranch: null };
}

export function installationFacts({ installation }: { installation: Static<typeof Installation> }): InstallationFacts {
  const { id, account, permissions, suspended_at: suspended } = installation;
  const suspendedAt = typeof suspended === 'string' ? new Date(suspended) : null;
  return { id, account: { id: account.id, login: account.login, type: account.type }, permissions, suspendedAt };
}
