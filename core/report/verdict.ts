/** What the report says of an intent: its end as GitHub names it, or that it goes on. */
import { isReasonCode, reasons, type ReasonCode } from '../intent/reasons.ts';
import type { CheckConclusion } from './writes.ts';
import type { BuildReport, IntentReport, RolloutReport } from './view.ts';

export type Verdict = {
  conclusion: CheckConclusion;
  /** Of the GithubDeployment. */
  state: 'success' | 'failure' | 'error' | 'inactive';
  title: string;
  code: ReasonCode | null;
  /** What happened, in a sentence. */
  reason: string;
};

/** Ends that are ours to mend, not the project's: an `error` for GitHub, not a `failure`. */
const ours: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'internal',
  'builder_lost',
  'builder_unavailable',
  'registry_refused',
  'registry_failed',
  'registry_unreachable',
  'no_build_node',
  'no_capacity',
  'nodes_silent',
  'dns_not_updated',
  'routes_not_updated',
  'secrets_unreadable',
  'release_unreadable',
  'master_key_missing',
  'secret_damaged',
  'address_foreign',
  'address_taken',
]);

/** null while it goes on. `success` means that every service serves (P11). */
export function verdictOf(intent: IntentReport): Verdict | null {
  const code = intent.reasonCode !== null && isReasonCode(intent.reasonCode) ? intent.reasonCode : null;
  const reason = intent.reason ?? (code === null ? '' : reasons[code].means);
  switch (intent.status) {
    case 'active':
      return null;
    case 'succeeded':
      if (!serves(intent)) return null;
      return { conclusion: 'success', state: 'success', code, ...success(intent) };
    case 'failed': {
      const rolledBack = intent.rollouts.some(({ stage }) => stage === 'rolled_back');
      const title = rolledBack ? 'Rolled back: the previous release goes on serving' : 'Failed';
      return {
        conclusion: 'failure',
        state: code !== null && ours.has(code) ? 'error' : 'failure',
        title,
        code,
        reason,
      };
    }
    case 'superseded':
      return { conclusion: 'cancelled', state: 'inactive', title: 'A newer push took its place', code, reason };
    case 'cancelled':
      return { conclusion: 'cancelled', state: 'inactive', title: 'Cancelled', code, reason };
  }
}

function serves(intent: IntentReport): boolean {
  const kept = keptRollouts(intent);
  return kept.length > 0 && kept.every(({ stage }) => stage === 'running');
}

/** Without those of services that were removed in the meantime. */
function keptRollouts({ rollouts }: IntentReport): RolloutReport[] {
  return rollouts.filter(({ stage, reasonCode }) => stage !== 'stopped' || reasonCode !== 'service_removed');
}

/** A service that is to have no replicas has what it asks for, and does not serve. */
function success(intent: IntentReport): Pick<Verdict, 'title' | 'reason'> {
  const kept = keptRollouts(intent);
  const idle = kept.filter(({ replicas }) => replicas === 0).map(({ service }) => service);
  const title = `Deployed to ${intent.environment}`;
  if (idle.length === 0) return { title, reason: 'Every service serves.' };
  if (idle.length === kept.length)
    return { title: `${title}, with no replicas`, reason: 'Nothing runs: every service has replicas: 0.' };
  return { title, reason: `Every service serves, except with replicas: 0: ${idle.sort().join(', ')}.` };
}

/** Where what was deployed can be opened; null when nothing is there to answer. */
export function servingUrl(intent: IntentReport): string | null {
  return keptRollouts(intent).some(({ replicas }) => replicas > 0) ? intent.environmentUrl : null;
}

/** While it goes on. */
export function progressOf({ builds, rollouts, environment }: IntentReport): string {
  if (rollouts.length > 0) return `Rolling out to ${environment}`;
  return builds.some(({ status }) => status === 'building') ? 'Building' : 'Waiting for a node to build it';
}

/** One that no node can make: somebody may have to do something about it. */
export function stuckBuild({ builds }: IntentReport): BuildReport | null {
  return builds.find(({ status, reasonCode }) => status === 'queued' && reasonCode === 'no_build_node') ?? null;
}

/** Whether any work on it has begun. */
export function hasBegun({ builds, rollouts }: IntentReport): boolean {
  return rollouts.length > 0 || builds.some(({ status }) => status === 'building' || status === 'succeeded');
}
