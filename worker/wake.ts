/** Enqueues what a committed transaction has made due. Losing it loses nothing: the sweep derives the same jobs from the rows. */
import { advanceRollout, flushOutbox } from '../platform/queue/jobs.ts';
import type { JobDefinition } from '../platform/queue/define-job.ts';
import type { RolloutWake } from '../prisma/store/rollouts.ts';
import type { WorkerDeps } from './deps.ts';
import type { Settled } from './intents/settle.ts';
import type { Static, TSchema } from 'typebox';

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

/** A look that is due at a time. The time comes from the rows, so that two who ask for it ask for the same job. */
export async function wakeAt<S extends TSchema>(
  { queues, now }: WorkerDeps,
  at: Date,
  { job, payload }: { job: JobDefinition<S>; payload: Static<S> },
): Promise<void> {
  await queues.enqueue(job, payload, { delayMs: Math.max(1, at.getTime() - now().getTime()) });
}
