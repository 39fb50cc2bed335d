/** Decides what a push asks for: which environments it deploys to, or why it is ignored. */
import type { ProjectConfig } from '../spec/config.ts';
import type { ReasonCode } from './reasons.ts';

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

/** What can be told before any configuration is read; null when the push may be looked at. */
export function ignoredPush(_facts: PushFacts): Ignored | null {
  throw new Error('not written yet');
}

/** `rules` is the configuration in force on the default branch (P46). Environments come sorted by name. */
export function decidePush(_facts: PushFacts, _rules: ProjectConfig): PushDecision {
  throw new Error('not written yet');
}
