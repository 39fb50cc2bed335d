/** Draws the consequences for an intent when one of its builds or rollouts has moved, and owes GitHub the news. */
import { intentOutcome } from '../../core/intent/outcome.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import {
  endIntent,
  lockIntent,
  releaseIntent,
  removeOtherServices,
  type IntentProgress,
} from '../../prisma/store/intent-progress.ts';
import type { Lane } from '../../prisma/store/outbox.ts';
import { reportIntent } from '../../prisma/store/report.ts';
import type { RolloutWake } from '../../prisma/store/rollouts.ts';
import type { WorkerDeps } from '../deps.ts';
import { wake } from '../wake.ts';

/** What to wake after the commit. */
export interface Settled {
  rollouts: RolloutWake[];
  /** The lane of the outbox that has something new; null when none has. */
  owes: Lane | null;
}

async function applyOutcome(deps: WorkerDeps, tx: Db, progress: IntentProgress): Promise<RolloutWake[]> {
  const { intent, facts } = progress;
  const at = deps.now();
  const outcome = intentOutcome(facts);
  switch (outcome.kind) {
    case 'building':
    case 'rolling_out':
      return [];
    case 'release':
      return releaseIntent(tx, progress, at);
    case 'succeeded':
      await removeOtherServices(tx, intent, at);
      await endIntent(tx, intent.id, { status: 'succeeded', reasonCode: null, reason: null, at });
      return [];
    case 'failed':
    case 'cancelled':
    case 'superseded':
      await endIntent(tx, intent.id, { status: outcome.kind, reasonCode: outcome.code, reason: outcome.reason, at });
      return [];
  }
}

/** Runs inside the transaction that moved the build or rollout. */
export async function settleIntent(deps: WorkerDeps, tx: Db, intentId: string): Promise<Settled> {
  const progress = await lockIntent(tx, intentId);
  const rollouts = progress.intent.status === 'active' ? await applyOutcome(deps, tx, progress) : [];
  const owes = await reportIntent(tx, intentId, { consoleUrl: deps.consoleUrl, now: deps.now() });
  return { rollouts, owes };
}

/** Settles on its own: for the sweep, and for builds that had ended before the intent asked for them. */
export async function advanceIntent(deps: WorkerDeps, intentId: string): Promise<void> {
  const settled = await transaction(deps.database, (tx) => settleIntent(deps, tx, intentId));
  await wake(deps, { settled, rollouts: [] });
}
