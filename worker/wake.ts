/** Enqueues what a committed transaction has made due. Losing it loses nothing: the sweep derives the same jobs from the rows. */
import { advanceRollout, flushOutbox } from '../platform/queue/jobs.ts';
import type { RolloutWake } from '../prisma/store/rollouts.ts';
import type { WorkerDeps } from './deps.ts';
import type { Settled } from './intents/settle.ts';

export interface Wakes {
  settled: Settled | null;
  rollouts: RolloutWake[];
}

export async function wake({ queues }: WorkerDeps, { settled, rollouts }: Wakes): Promise<void> {
  for (const { id, factsVersion } of [...rollouts, ...(settled?.rollouts ?? [])])
    await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
  const lane = settled?.owes ?? null;
  if (lane !== null) await queues.enqueue(flushOutbox, lane);
}
