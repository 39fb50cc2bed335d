/** Derives every job from the rows, so that an emptied queue loses nothing; ids name versions, so nothing is done twice (P19). */
import { StalledError } from '../../platform/errors/errors.ts';
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
import { each } from '../each.ts';
import { advanceIntent } from '../intents/settle.ts';
import { replaceLost } from '../rollouts/replace.ts';

/** Younger deliveries are being enqueued by the intake that stored them. */
const settleMs = 2_000;
const deliveriesAtOnce = 1_000;

interface SweepStep {
  name: string;
  run: (deps: WorkerDeps) => Promise<void>;
}

/** In order: what people wait for comes before what only tidies up. */
const steps: readonly SweepStep[] = [
  {
    name: 'deliveries',
    run: async ({ database: { db }, queues, now }) => {
      const storedBefore = new Date(now().getTime() - settleMs);
      for (const guid of await unprocessedDeliveries(db, storedBefore, deliveriesAtOnce))
        await queues.enqueue(processDelivery, { guid });
    },
  },
  {
    name: 'builds',
    run: async ({ database: { db }, queues }) => {
      for (const { id, version } of await unfinishedBuilds(db))
        await queues.enqueue(advanceBuild, { buildId: id, version });
    },
  },
  {
    name: 'source tokens',
    run: async ({ database: { db }, queues, now }) => {
      for (const claim of await claimsWithoutToken(db, now())) await queues.enqueue(mintSourceToken, claim);
    },
  },
  { name: 'lost replicas', run: replaceLost },
  {
    name: 'rollouts',
    run: async ({ database: { db }, queues }) => {
      for (const { id, factsVersion } of await unfinishedRollouts(db))
        await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
    },
  },
  {
    name: 'outbox',
    run: async ({ database: { db }, queues, now }) => {
      for (const lane of await lanesWithPendingWrites(db, now())) await queues.enqueue(flushOutbox, lane);
    },
  },
  {
    name: 'intents',
    run: async (deps) =>
      each(await stalledIntents(deps.database.db), 'intents could not be settled', (id) => advanceIntent(deps, id)),
  },
  { name: 'old rows', run: ({ database: { db }, now }) => deleteOld(db, now()) },
];

/** One step that fails does not keep the others from being taken. @throws StalledError when some did: the next sweep is their retry. */
export async function sweep(deps: WorkerDeps): Promise<void> {
  const failed: string[] = [];
  for (const { name, run } of steps)
    await run(deps).catch((error: unknown) => {
      deps.log.error({ err: error }, `a step of the sweep failed: ${name}`);
      failed.push(name);
    });
  if (failed.length > 0) throw new StalledError('sweep_incomplete', `Steps of the sweep failed: ${failed.join(', ')}.`);
}
