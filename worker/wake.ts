/** Enqueues what a committed transaction has made due. Losing it loses nothing: the sweep derives the same jobs from the rows. */
import { advanceRollout, flushOutbox } from '../platform/queue/jobs.ts';
import type { JobDefinition } from '../platform/queue/define-job.ts';
import type { Lane } from '../prisma/store/outbox.ts';
import type { RolloutWake } from '../prisma/store/rollouts.ts';
import type { WorkerDeps } from './deps.ts';
import type { Static, TSchema } from 'typebox';

export interface Wakes {
  rollouts: RolloutWake[];
  /** The lane of the outbox that has something new; null when none has. */
  owes: Lane | null;
}

export const nothingToWake: Wakes = { rollouts: [], owes: null };

export async function wake({ queues }: WorkerDeps, { rollouts, owes }: Wakes): Promise<void> {
  for (const { id, factsVersion } of rollouts)
    await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
  if (owes !== null) await queues.enqueue(flushOutbox, owes);
}

/** A look that is due at a time. The time comes from the rows, so that two who ask for it ask for the same job. */
export async function wakeAt<S extends TSchema>(
  { queues, now }: WorkerDeps,
  at: Date,
  { job, payload }: { job: JobDefinition<S>; payload: Static<S> },
): Promise<void> {
  await queues.enqueue(job, payload, { delayMs: Math.max(1, at.getTime() - now().getTime()) });
}
