/** Drives one rollout: read a snapshot, let core decide, write the steps and their effects in one transaction; again until it stands. */
import { nodeLeaseMs } from '../../core/node/liveness.ts';
import { place, type PlaceRequest, type PlaceResult } from '../../core/place/place.ts';
import { missingReplicas } from '../../core/rollout/advance.ts';
import { isTerminal } from '../../core/rollout/stage.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { advanceRollout } from '../../platform/queue/jobs.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { loadPlaceNodes, lockPlacement } from '../../prisma/store/placement.ts';
import {
  applyEffect,
  changeRollout,
  loadRollout,
  recordWaiting,
  touchRollouts,
  type RolloutSnapshot,
} from '../../prisma/store/rollouts.ts';
import type { WorkerDeps } from '../deps.ts';
import { settleIntent } from '../intents/settle.ts';
import { nothingToWake, wake, wakeAt, type Wakes } from '../wake.ts';
import { movesOf, unreadable, type Moves } from './moves.ts';

/** A rollout that others move every time it is looked at is left to them. */
const maxTries = 50;

/** Addresses freed within this time are taken last. */
const rememberAddressesMs = 3_600_000;

interface Step {
  /** False: it moved, or another writer was first. */
  rests: boolean;
  wakeAt: Date | null;
  /** The rollout's, as it was read. */
  factsVersion: number;
  wakes: Wakes;
}

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

async function decide(deps: WorkerDeps, tx: Db, { view, facts, rollout, spec }: RolloutSnapshot): Promise<Moves> {
  if (spec === null && !isTerminal(view.stage)) return unreadable(view, facts);
  const replicas = missingReplicas(view, facts.allocations);
  const { serviceId } = rollout;
  const placement = spec && (await placementFor(deps, tx, { serviceId, resources: spec.resources, replicas }));
  return movesOf(view, { ...facts, placement, hearingSince: deps.hearingSince }, deps.now());
}

async function step(deps: WorkerDeps, tx: Db, rolloutId: string): Promise<Step> {
  const now = deps.now();
  const snapshot = await loadRollout(tx, rolloutId, new Date(now.getTime() - nodeLeaseMs));
  const { rollout } = snapshot;
  const { factsVersion } = rollout;
  const { transitions, effects, rest } = await decide(deps, tx, snapshot);
  const last = transitions.at(-1);
  if (last === undefined) {
    if (rest?.waiting) await recordWaiting(tx, rollout, { ...rest.waiting, at: now });
    return { rests: true, wakeAt: rest?.wakeAt ?? null, factsVersion, wakes: nothingToWake };
  }
  const moved = await changeRollout(tx, snapshot, transitions, now);
  if (moved) for (const effect of effects) await applyEffect(tx, rollout, effect);
  const wakes = moved && isTerminal(last.to) ? await settle(deps, tx, rollout) : nothingToWake;
  return { rests: moved && isTerminal(last.to), wakeAt: null, factsVersion, wakes };
}

/** What follows from its end: for its intent, and for the newer ones that wait for it. */
async function settle(deps: WorkerDeps, tx: Db, rollout: RolloutSnapshot['rollout']): Promise<Wakes> {
  const settled = rollout.intentId === null ? nothingToWake : await settleIntent(deps, tx, rollout.intentId);
  return { ...settled, rollouts: [...settled.rollouts, ...(await touchRollouts(tx, [rollout.serviceId]))] };
}

/** Moves the rollout as far as the facts allow, and asks to be called again when time alone can move it further. */
export async function driveRollout(deps: WorkerDeps, rolloutId: string): Promise<void> {
  for (let count = 0; count < maxTries; count++) {
    const found = await transaction(deps.database, (tx) => step(deps, tx, rolloutId));
    await wake(deps, found.wakes);
    if (!found.rests) continue;
    const payload = { rolloutId, version: found.factsVersion };
    if (found.wakeAt !== null) await wakeAt(deps, found.wakeAt, { job: advanceRollout, payload });
    return;
  }
  throw new IgnoredError(
    'busy',
    `Other writers moved the rollout ${rolloutId} ${maxTries} times; the sweep looks again.`,
  );
}
