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
import { lockSecretsOfIntent } from '../../prisma/store/locks.ts';
import { reportIntent } from '../../prisma/store/report.ts';
import type { RolloutWake } from '../../prisma/store/rollouts.ts';
import { missingSecrets } from '../../prisma/store/secrets.ts';
import type { WorkerDeps } from '../deps.ts';
import { nothingToWake, wake, type Wakes } from '../wake.ts';

/** Ends the intent when its outcome is known. Gives the rollouts that are to be looked at for it. */
async function endIfOver(deps: WorkerDeps, tx: Db, { intent, facts }: IntentProgress): Promise<RolloutWake[]> {
  const at = deps.now();
  const outcome = intentOutcome(facts);
  switch (outcome.kind) {
    case 'building':
    case 'rolling_out':
    case 'release':
      return [];
    case 'succeeded':
      await endIntent(tx, intent.id, { status: 'succeeded', reasonCode: null, reason: null, at });
      return removeOtherServices(tx, intent, at);
    case 'failed':
    case 'cancelled':
    case 'superseded':
      await endIntent(tx, intent.id, { status: outcome.kind, reasonCode: outcome.code, reason: outcome.reason, at });
      return [];
  }
}

/** For what a build's or a rollout's move means to the intent, and what GitHub is owed about it. */
export async function settleIntent(deps: WorkerDeps, tx: Db, intentId: string): Promise<Wakes> {
  const progress = await lockIntent(tx, intentId);
  const rollouts = progress.intent.status === 'active' ? await endIfOver(deps, tx, progress) : [];
  const { consoleUrl, containerUrl } = deps;
  const owes = await reportIntent(tx, intentId, { consoleUrl, containerUrl, now: deps.now() });
  return { rollouts, owes };
}

/** Makes releases and rollouts when every build has succeeded. What GitHub is owed then is not on the way to serving. */
async function releaseIfBuilt(deps: WorkerDeps, tx: Db, intentId: string): Promise<Wakes> {
  await lockSecretsOfIntent(tx, intentId);
  const progress = await lockIntent(tx, intentId);
  if (progress.intent.status !== 'active' || intentOutcome(progress.facts).kind !== 'release') return nothingToWake;
  const at = deps.now();
  // A secret that was there when the intent was accepted may have been removed since.
  const lacking = await missingSecrets(tx, progress.intent);
  const rollouts = lacking === null ? await releaseIntent(tx, progress, at) : null;
  if (rollouts !== null) return { rollouts, owes: null };
  const unreadable = 'What it deploys cannot be read by this release of Landfall.';
  const why = { reasonCode: lacking === null ? 'internal' : 'secret_missing', reason: lacking ?? unreadable };
  await endIntent(tx, intentId, { status: 'failed', ...why, at });
  return nothingToWake;
}

/** Moves the intent as far as its builds and rollouts allow: for builds, and for the sweep. */
export async function advanceIntent(deps: WorkerDeps, intentId: string): Promise<void> {
  await wake(deps, await transaction(deps.database, (tx) => releaseIfBuilt(deps, tx, intentId)));
  await wake(deps, await transaction(deps.database, (tx) => settleIntent(deps, tx, intentId)));
}
