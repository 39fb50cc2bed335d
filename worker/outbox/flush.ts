/** Flushes an installation's lane: one flusher at a time, over all processes. */
import { IgnoredError, WaitingError } from '../../platform/errors/errors.ts';
import { flushOutbox } from '../../platform/queue/jobs.ts';
import { beginWrite, keepLane, leaveLane, limitLane, takeLane, type HeldLane } from '../../prisma/store/lane.ts';
import {
  markFailed,
  markLater,
  markSent,
  markUnheard,
  nextDue,
  sendableWrites,
  type Lane as OwedLane,
} from '../../prisma/store/outbox.ts';
import type { WorkerDeps } from '../deps.ts';
import { wakeAt } from '../wake.ts';
import { flushLane, type Flushed, type Lane } from './lane.ts';
import { meanwhile } from './meanwhile.ts';
import { sendWrite } from './send.ts';

/** Read at a time: writes that come meanwhile are seen by the next read. */
const batch = 50;

/** A process that dies holds up its lane for so long; one that lives holds it for longer and longer. */
const holdMs = 5_000;
const renewMs = 2_000;

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
    send: (write) =>
      meanwhile(sendWrite(db, client, write), renewMs, async () => {
        const kept = await keepLane(db, held, holdUntil(deps));
        // Once it is lost, `held` fits nothing any more: no later beat, no mark and no further write counts.
        if (kept !== 'lost') held = kept;
      }),
    markSent: ({ id }, sent) => markSent(db, held, { id, ...sent }),
    markLater: ({ id }, later) => markLater(db, held, { id, ...later }),
    limit: async ({ id }, { until, error }) => {
      await limitLane(db, installationId, until);
      return markUnheard(db, held, { id, error });
    },
    markFailed: async ({ id, key }, error) => {
      const marked = await markFailed(db, held, { id, error });
      if (marked === 'marked') deps.log.warn({ installationId, key, reason: error }, 'GitHub did not take a write');
      return marked;
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

type Found = Flushed | { kind: 'busy'; until: Date };

async function flushOnce(deps: WorkerDeps, installationId: number): Promise<Found> {
  const { db } = deps.database;
  const taken = await takeLane(db, { installationId, until: holdUntil(deps) }, deps.now());
  switch (taken.kind) {
    case 'gone':
      throw new IgnoredError('subject_gone', `The installation ${installationId} was deleted.`);
    case 'busy':
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
export async function flush(deps: WorkerDeps, owed: OwedLane): Promise<void> {
  const { installationId } = owed;
  for (;;) {
    const found = await flushOnce(deps, installationId);
    switch (found.kind) {
      case 'lost':
        return;
      case 'busy':
        // The other one may have died.
        await wakeAt(deps, found.until, { job: flushOutbox, payload: owed });
        return;
      case 'limited':
      case 'paused':
        throw waitForGithub(found.until);
      case 'done': {
        // Whoever wrote between the last read and letting go found the lane held, and left it to this one.
        const due = await nextDue(deps.database.db, installationId);
        if (due === null) return;
        if (due > deps.now()) throw waitForGithub(due);
      }
    }
  }
}
