/** Flushes an installation's lane: one flusher at a time, over all processes. */
import { WaitingError } from '../../platform/errors/errors.ts';
import { flushOutbox } from '../../platform/queue/jobs.ts';
import { withLane } from '../../prisma/store/lane.ts';
import {
  beginAttempt,
  markFailed,
  markLater,
  markSent,
  newestPending,
  pendingWrites,
} from '../../prisma/store/outbox.ts';
import type { WorkerDeps } from '../deps.ts';
import { flushLane, type Lane } from './lane.ts';
import { sendWrite } from './send.ts';

/** Read at a time: writes that come meanwhile are seen by the next read. */
const batch = 50;

async function laneOf(deps: WorkerDeps, installationId: number): Promise<Lane> {
  const { db } = deps.database;
  const client = await deps.github.forInstallation(installationId);
  return {
    pending: () => pendingWrites(db, installationId, batch),
    beginAttempt: ({ id }) => beginAttempt(db, id),
    send: (write) => sendWrite(db, client, write),
    markSent: ({ id }, sent) => markSent(db, id, sent),
    markLater: ({ id }, later) => markLater(db, id, later),
    markFailed: ({ id, key }, error) => {
      deps.log.warn({ installationId, key, reason: error }, 'GitHub did not take a write');
      return markFailed(db, id, error);
    },
    now: deps.now,
  };
}

/** Throws WaitingError when the lane has to wait for GitHub. */
export async function flush(deps: WorkerDeps, installationId: number): Promise<void> {
  const lane = await laneOf(deps, installationId);
  const flushed = await withLane(deps.database.pool, installationId, async () => ({ until: await flushLane(lane) }));
  if (flushed === null) return;
  if (flushed.until !== null)
    throw new WaitingError('github_waits', 'The next write to GitHub is due later.', { until: flushed.until });
  // Whoever wrote between the last read and letting go found the lane held, and left it to this one.
  const left = await newestPending(deps.database.db, installationId);
  if (left !== null) await deps.queues.enqueue(flushOutbox, left);
}
