/** Derives every job from the rows, so that an emptied queue loses nothing; ids name versions, so nothing is done twice (P19). */
import {
  advanceBuild,
  advanceRollout,
  flushOutbox,
  mintSourceToken,
  processDelivery,
} from '../../platform/queue/jobs.ts';
import { unfinishedBuilds } from '../../prisma/store/builds.ts';
import { unprocessedDeliveries } from '../../prisma/store/deliveries.ts';
import { stalledIntents } from '../../prisma/store/intent-progress.ts';
import { lanesWithPendingWrites } from '../../prisma/store/outbox.ts';
import { deleteOld } from '../../prisma/store/retention.ts';
import { unfinishedRollouts } from '../../prisma/store/rollouts.ts';
import { claimsWithoutToken } from '../../prisma/store/source-tokens.ts';
import type { WorkerDeps } from '../deps.ts';
import { advanceIntent } from '../intents/settle.ts';

/** Younger deliveries are being enqueued by the intake that stored them. */
const settleMs = 2_000;
const deliveriesAtOnce = 1_000;

export async function sweep(deps: WorkerDeps): Promise<void> {
  const { queues, now } = deps;
  const { db } = deps.database;
  for (const guid of await unprocessedDeliveries(db, new Date(now().getTime() - settleMs), deliveriesAtOnce))
    await queues.enqueue(processDelivery, { guid });
  for (const { id, version } of await unfinishedBuilds(db))
    await queues.enqueue(advanceBuild, { buildId: id, version });
  for (const claim of await claimsWithoutToken(db, now())) await queues.enqueue(mintSourceToken, claim);
  for (const { id, factsVersion } of await unfinishedRollouts(db))
    await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
  for (const lane of await lanesWithPendingWrites(db, now())) await queues.enqueue(flushOutbox, lane);
  await deleteOld(db, now());
  await settleStalled(deps);
}

/** One that cannot be settled does not keep the others from it. */
async function settleStalled(deps: WorkerDeps): Promise<void> {
  const failures: unknown[] = [];
  for (const intentId of await stalledIntents(deps.database.db))
    await advanceIntent(deps, intentId).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} intents could not be settled.`);
}
