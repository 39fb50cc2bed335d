/**
 * Decides what becomes of what a delivery tells of an installation or a repository. Deliveries come late, twice and in any order,
 * and nothing in them says which is the later: where one differs from what is known, GitHub is asked how it stands now.
 */
import { digestOf } from '../spec/digest.ts';

export type News =
  /** Nothing is known yet: it is taken. */
  | 'first'
  /** It changes nothing. */
  | 'known'
  | 'ask_github';

export type InstallationStanding = {
  account: { id: number; login: string; type: string };
  /** name → read | write */
  permissions: Record<string, string>;
  suspended: boolean;
};

/** One that was removed stays removed: GitHub never gives a number again, so other news of it is only late. */
export function installationNews(
  told: InstallationStanding,
  known: (InstallationStanding & { removed: boolean }) | null,
): News {
  if (known === null) return 'first';
  if (known.removed) return 'known';
  const [one, other] = [told, known].map(({ account, permissions, suspended }) =>
    digestOf({ account, permissions, suspended }),
  );
  return one === other ? 'known' : 'ask_github';
}

export type RepositoryStanding = {
  installationId: number;
  owner: string;
  name: string;
  private: boolean;
  /** null: not told. */
  defaultBranch: string | null;
};

export type KnownRepository = RepositoryStanding & {
  removed: boolean;
  /** Its installation was. */
  installationRemoved: boolean;
};

/** An installation includes the repository, and this is how it is called. */
export function inclusionNews(told: RepositoryStanding, known: KnownRepository | null): News {
  if (known === null) return 'first';
  if (known.installationRemoved && told.installationId === known.installationId) return 'known';
  return !known.removed && agree(told, known) ? 'known' : 'ask_github';
}

/** An installation does not include the repository any more. It may belong to another by now. */
export function exclusionNews(told: { installationId: number }, known: KnownRepository | null): News {
  if (known === null) return 'first';
  return known.removed || told.installationId !== known.installationId ? 'known' : 'ask_github';
}

function agree(told: RepositoryStanding, known: RepositoryStanding): boolean {
  return (
    told.installationId === known.installationId &&
    told.owner === known.owner &&
    told.name === known.name &&
    told.private === known.private &&
    (told.defaultBranch === null || told.defaultBranch === known.defaultBranch)
  );
}
