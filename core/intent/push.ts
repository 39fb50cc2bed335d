/** Decides what a push asks for: which environments it deploys to, or why it is ignored. */
import type { ProjectConfig } from '../spec/config.ts';
import { reasons, type ReasonCode } from './reasons.ts';

export type PushFacts = {
  /** The full ref, e.g. `refs/heads/main`. */
  ref: string;
  before: string;
  /** The head that arrived; forty zeros when the ref was deleted. */
  after: string;
  repository: { defaultBranch: string; archived: boolean; removed: boolean };
  installation: { suspended: boolean; removed: boolean };
  /** Earlier arrivals on this ref, oldest first (the ledger without this delivery). */
  heads: readonly { before: string; after: string }[];
};

export type Ignored = { kind: 'ignored'; code: ReasonCode; reason: string };
export type PushDecision =
  Ignored | { kind: 'deploy'; branch: string; sha: string; intents: { environment: string; url: string | null }[] };

const branchPrefix = 'refs/heads/';

/** What can be told before any configuration is read; null when the push may be looked at. */
export function ignoredPush(facts: PushFacts): Ignored | null {
  const code = ignoredCode(facts);
  return code === null ? null : { kind: 'ignored', code, reason: reasons[code].means };
}

/** `rules` is the configuration in force on the default branch (P46). Environments come sorted by name. */
export function decidePush(facts: PushFacts, rules: ProjectConfig): PushDecision {
  const ignored = ignoredPush(facts);
  if (ignored) return ignored;
  const branch = facts.ref.slice(branchPrefix.length);
  const intents = Object.entries(rules.environments)
    .filter(([, environment]) => (environment.branch ?? facts.repository.defaultBranch) === branch)
    .map(([environment, { url }]) => ({ environment, url }))
    .sort((a, b) => (a.environment < b.environment ? -1 : 1));
  if (intents.length > 0) return { kind: 'deploy', branch, sha: facts.after, intents };
  return { kind: 'ignored', code: 'branch_not_deployed', reason: notDeployed(branch, facts, rules) };
}

function ignoredCode({ ref, after, before, repository, installation, heads }: PushFacts): ReasonCode | null {
  if (installation.removed) return 'installation_removed';
  if (installation.suspended) return 'installation_suspended';
  if (repository.removed) return 'repository_removed';
  if (repository.archived) return 'repository_archived';
  if (ref.startsWith('refs/tags/')) return 'tag_push';
  if (!ref.startsWith(branchPrefix)) return 'not_a_branch';
  if (/^0+$/.test(after)) return 'ref_deleted';
  return isOutOfOrder({ before, after }, heads) ? 'out_of_order' : null;
}

/**
 * A push that was made before one that has arrived: it does not start where the branch is known to stand, and some arrival
 * started where it ends. A push back to an earlier commit does start there, and is not taken for one (P10).
 */
function isOutOfOrder(push: { before: string; after: string }, heads: PushFacts['heads']): boolean {
  const last = heads.at(-1);
  if (!last || last.after === push.before || last.after === push.after) return false;
  return heads.some((head) => head.before === push.after);
}

function notDeployed(branch: string, { repository }: PushFacts, rules: ProjectConfig): string {
  const branches = Object.values(rules.environments).map(
    (environment) => environment.branch ?? repository.defaultBranch,
  );
  const known = [...new Set(branches)].sort().join(', ');
  return `No environment deploys the branch ${branch}; deployed are: ${known}.`;
}
