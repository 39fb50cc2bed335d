/** Drives one rollout: read a snapshot, let core decide, write the steps and their effects in one transaction; again until it stands. */
import { nodeLeaseMs } from '../../core/node/liveness.ts';
import { place, type PlaceRequest, type PlaceResult } from '../../core/place/place.ts';
import { missingReplicas } from '../../core/rollout/replicas.ts';
import { isTerminal } from '../../core/rollout/stage.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { advanceRollout } from '../../platform/queue/jobs.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { lockPlacement } from '../../prisma/store/locks.ts';
import { loadPlaceNodes } from '../../prisma/store/placement.ts';
import { reportMoved } from '../../prisma/store/report.ts';
import {
  loadRollout,
  recordWaiting,
  RolloutMoved,
  touchRollouts,
  writeStep,
  type RolloutSnapshot,
} from '../../prisma/store/rollouts.ts';
import type { WorkerDeps } from '../deps.ts';
import { settleIntent } from '../intents/settle.ts';
import { wake, wakeAt, type Wakes } from '../wake.ts';
import { movesOf, unreadable, type Moves } from './moves.ts';

/** A rollout that others move every time it is looked at is left to them. */
const maxTries = 50;

/** Addresses freed within this time are taken last. */
const rememberAddressesMs = 3_600_000;

type Step =
  /** It moved, or another writer was first. */
  | { kind: 'again' }
  /** `factsVersion`: the rollout's, as it was read. */
  | { kind: 'rests'; wakeAt: Date | null; factsVersion: number }
  | { kind: 'ended'; rolloutId: string; serviceId: string; intentId: string | null };

async function placementFor(
  deps: WorkerDeps,
  tx: Db,
  { serviceId, resources, replicas }: PlaceRequest,
): Promise<PlaceResult | null> {
  if (replicas.length === 0) return null;
  await lockPlacement(tx);
  const now = deps.now();
  const nodes = await loadPlaceNodes(tx, {
    pools: deps.pools,
    rememberSince: new Date(now.getTime() - rememberAddressesMs),
  });
  return place({ serviceId, resources, replicas }, nodes, now);
}

async function decide(
  deps: WorkerDeps,
  tx: Db,
  { view, facts, rollout, ...snapshot }: RolloutSnapshot,
): Promise<Moves> {
  const { spec } = snapshot;
  if (snapshot.unreadable !== null && !isTerminal(view.stage)) return unreadable(view, facts, snapshot.unreadable);
  const replicas = missingReplicas(view, facts.allocations);
  const { serviceId } = rollout;
  const placement = spec && (await placementFor(deps, tx, { serviceId, resources: spec.resources, replicas }));
  return movesOf(view, { ...facts, placement, hearingSince: deps.hearingSince }, deps.now());
}

async function step(deps: WorkerDeps, tx: Db, rolloutId: string): Promise<Step> {
  const at = deps.now();
  const { masterKeys, pools } = deps;
  const liveSince = new Date(at.getTime() - nodeLeaseMs);
  const snapshot = await loadRollout(tx, rolloutId, { masterKeys, pools, liveSince });
  const { serviceId, intentId, factsVersion } = snapshot.rollout;
  const { transitions, effects, rest } = await decide(deps, tx, snapshot);
  const last = transitions.at(-1);
  if (last === undefined) {
    if (rest?.waiting) await recordWaiting(tx, snapshot.rollout, { ...rest.waiting, at });
    return { kind: 'rests', wakeAt: rest?.wakeAt ?? null, factsVersion };
  }
  await writeStep(tx, snapshot, { transitions, effects, at });
  return isTerminal(last.to) ? { kind: 'ended', rolloutId, serviceId, intentId } : { kind: 'again' };
}

async function stepOnce(deps: WorkerDeps, rolloutId: string): Promise<Step> {
  try {
    return await transaction(deps.database, (tx) => step(deps, tx, rolloutId));
  } catch (error) {
    if (error instanceof RolloutMoved) return { kind: 'again' };
    throw error;
  }
}

/**
 * What follows from its end: for the newer ones that wait for it, and for its intent, or else for the deployment that it may have moved.
 * Transactions of their own, because an intent is taken before a rollout (prisma/store/locks.ts); the sweep does the same for rollouts
 * and intents when it never comes to that.
 */
async function follow(
  deps: WorkerDeps,
  { rolloutId, serviceId, intentId }: Extract<Step, { kind: 'ended' }>,
): Promise<void> {
  await wake(deps, { rollouts: await touchRollouts(deps.database.db, [serviceId]), owes: null });
  const told = (tx: Db) => (intentId === null ? tellMoved(deps, tx, rolloutId) : settleIntent(deps, tx, intentId));
  await wake(deps, await transaction(deps.database, told));
}

async function tellMoved(deps: WorkerDeps, tx: Db, rolloutId: string): Promise<Wakes> {
  const { consoleUrl, containerUrl } = deps;
  return { rollouts: [], owes: await reportMoved(tx, rolloutId, { consoleUrl, containerUrl, now: deps.now() }) };
}

/** Moves the rollout as far as the facts allow, and asks to be called again when time alone can move it further. */
export async function driveRollout(deps: WorkerDeps, rolloutId: string): Promise<void> {
  for (let count = 0; count < maxTries; count++) {
    const found = await stepOnce(deps, rolloutId);
    switch (found.kind) {
      case 'again':
        continue;
      case 'ended':
        return follow(deps, found);
      case 'rests': {
        const payload = { rolloutId, version: found.factsVersion };
        if (found.wakeAt !== null) await wakeAt(deps, found.wakeAt, { job: advanceRollout, payload });
        return;
      }
    }
  }
  throw new IgnoredError(
    'busy',
    `Other writers moved the rollout ${rolloutId} ${maxTries} times; the sweep looks again.`,
  );
}
