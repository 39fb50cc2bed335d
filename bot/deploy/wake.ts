/** Enqueues what a committed transaction has made due. Losing it loses nothing: the sweep derives the same jobs from the rows. */
import { advanceBuild, flushOutbox } from '../../platform/queue/jobs.ts';
import type { AcceptedIntent } from '../../prisma/store/intents.ts';
import type { Lane } from '../../prisma/store/outbox.ts';
import type { BuildWake } from '../../prisma/store/repositories.ts';
import type { HandlerDeps } from '../deps.ts';

type Wakes = Pick<HandlerDeps, 'queues'>;

export async function wakeBuilds({ queues }: Wakes, builds: BuildWake[]): Promise<void> {
  for (const { id, version } of builds) await queues.enqueue(advanceBuild, { buildId: id, version });
}

export async function wakeLane({ queues }: Wakes, lane: Lane | null): Promise<void> {
  if (lane !== null) await queues.enqueue(flushOutbox, lane);
}

export async function wakeAccepted(deps: Wakes, accepted: AcceptedIntent[]): Promise<void> {
  for (const { builds, owes } of accepted) {
    await wakeBuilds(deps, builds);
    await wakeLane(deps, owes);
  }
}
