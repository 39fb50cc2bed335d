/** The worker: which job is done by which driver, and what recurs. */
import {
  advanceBuild,
  advanceRollout,
  deleteHistory,
  flushOutbox,
  mintSourceToken,
  sweep,
} from '../platform/queue/jobs.ts';
import { handle } from '../platform/queue/queues.ts';
import { driveBuild } from './builds/advance.ts';
import type { WorkerDeps } from './deps.ts';
import { flush } from './outbox/flush.ts';
import { driveRollout } from './rollouts/advance.ts';
import { deleteHistory as deleteRows } from './sweep/history.ts';
import { sweep as sweepRows } from './sweep/sweep.ts';
import { mintSourceToken as mint } from './tokens/mint.ts';

/** Milliseconds. */
const sweepEveryMs = 15_000;
const historyEveryMs = 600_000;

/** Starts taking jobs; they end with the queues. */
export function startWorker(deps: WorkerDeps): void {
  const { queues } = deps;
  queues.work(
    'rollouts',
    [
      handle(advanceBuild, ({ buildId }) => driveBuild(deps, buildId)),
      handle(advanceRollout, ({ rolloutId }) => driveRollout(deps, rolloutId)),
    ],
    { concurrency: 8 },
  );
  queues.work(
    'github',
    [handle(flushOutbox, (lane) => flush(deps, lane)), handle(mintSourceToken, (claim) => mint(deps, claim))],
    // They wait for GitHub, and hold nothing meanwhile.
    { concurrency: 32 },
  );
  queues.work('maintenance', [handle(sweep, () => sweepRows(deps)), handle(deleteHistory, () => deleteRows(deps))], {
    // No sweep waits for old rows to go; two at once do nothing twice.
    concurrency: 2,
  });
  queues.every(sweep, {}, sweepEveryMs);
  queues.every(deleteHistory, {}, historyEveryMs);
}
