/** Flushes an installation's lane: one flusher at a time, over all processes. */
import { IgnoredError, WaitingError } from '../../platform/errors/errors.ts';
import { beginWrite, leaveLane, limitLane, takeLane, type HeldLane } from '../../prisma/store/lane.ts';
import { markFailed, markLater, markSent, markUnheard, nextDue, sendableWrites } from '../../prisma/store/outbox.ts';
import type { WorkerDeps } from '../deps.ts';
import { flushLane, type Flushed, type Lane } from './lane.ts';
import { sendWrite } from './send.ts';

/** Read at a time: writes that come meanwhile are seen by the next read. */
const batch = 50;

/** Longer than one write takes with all its requests. A process that dies in the middle of one holds up its lane for so long. */
const holdMs = 30_000;

/** The lane as `flushLane` sees it. `held` goes forward with every write. */
async function laneOf(deps: WorkerDeps, taken: HeldLane): Promise<Lane & { held: () => HeldLane }> {
  const { db } = deps.database;
  const { installationId } = taken;
  const client = await deps.github.forInstallation(installationId);
  let held = taken;
  return {
    held: () => held,
    sendable: () => sendableWrites(db, installationId, { now: deps.now(), limit: batch }),
    begin: async ({ id }) => {
      const begun = await beginWrite(db, held, { writeId: id, until: holdUntil(deps) });
      if (begun === 'lost') return 'lost';
      held = begun.lane;
      return begun.owed ? 'begun' : 'not_owed';
    },
    send: (write) => sendWrite(db, client, write),
    markSent: ({ id }, sent) => markSent(db, id, sent),
    markLater: ({ id }, later) => markLater(db, id, later),
    limit: async ({ id }, { until, error }) => {
      await limitLane(db, installationId, until);
      await markUnheard(db, id, error);
    },
    markFailed: ({ id, key }, error) => {
      deps.log.warn({ installationId, key, reason: error }, 'GitHub did not take a write');
      return markFailed(db, id, error);
    },
    now: deps.now,
  };
}

function holdUntil({ now }: WorkerDeps): Date {
  return new Date(now().getTime() + holdMs);
}

function waitForGithub(until: Date): WaitingError {
  return new WaitingError('github_waits', 'The next write to GitHub is due later.', { until });
}

/** null: another process has the lane, and reads again before it ends. */
async function flushOnce(deps: WorkerDeps, installationId: number): Promise<Flushed | null> {
  const { db } = deps.database;
  const taken = await takeLane(db, { installationId, until: holdUntil(deps) }, deps.now());
  switch (taken.kind) {
    case 'gone':
      throw new IgnoredError('subject_gone', `The installation ${installationId} was deleted.`);
    case 'busy':
      return null;
    case 'limited':
      return taken;
    case 'held': {
      const lane = await laneOf(deps, taken.lane);
      try {
        return await flushLane(lane);
      } finally {
        await leaveLane(db, lane.held());
      }
    }
  }
}

/** Throws WaitingError when writes are left that have to wait. */
export async function flush(deps: WorkerDeps, installationId: number): Promise<void> {
  const { db } = deps.database;
  for (;;) {
    const flushed = await flushOnce(deps, installationId);
    if (flushed === null || flushed.kind === 'lost') return;
    if (flushed.kind !== 'done') throw waitForGithub(flushed.until);
    // Whoever wrote between the last read and letting go found the lane held, and left it to this one.
    const due = await nextDue(db, installationId);
    if (due === null) return;
    if (due > deps.now()) throw waitForGithub(due);
  }
}
