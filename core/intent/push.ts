/** Decides what a push asks for: which environments it deploys to, or why it is ignored. That it is the newest is decided before (core/delivery). */
import type { ProjectConfig } from '../spec/config.ts';
import { reasons, type ReasonCode } from './reasons.ts';

export type PushFacts = {
  /** The full ref, e.g. `refs/heads/main`. */
  ref: string;
  /** The head that arrived; forty zeros when the ref was deleted. */
  after: string;
  repository: { defaultBranch: string; archived: boolean; removed: boolean };
  installation: { suspended: boolean; removed: boolean };
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

function ignoredCode({ ref, after, repository, installation }: PushFacts): ReasonCode | null {
  if (installation.removed) return 'installation_removed';
  if (installation.suspended) return 'installation_suspended';
  if (repository.removed) return 'repository_removed';
  if (repository.archived) return 'repository_archived';
  if (ref.startsWith('refs/tags/')) return 'tag_push';
  if (!ref.startsWith(branchPrefix)) return 'not_a_branch';
  return /^0+$/.test(after) ? 'ref_deleted' : null;
}

function notDeployed(branch: string, { repository }: PushFacts, rules: ProjectConfig): string {
  const branches = Object.values(rules.environments).map(
    (environment) => environment.branch ?? repository.defaultBranch,
  );
  const known = [...new Set(branches)].sort().join(', ');
  return `No environment deploys the branch ${branch}; deployed are: ${known}.`;
}
