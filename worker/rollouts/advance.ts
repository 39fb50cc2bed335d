/** Drives one rollout: read a snapshot, let core decide, write the step and its effects in one transaction; again until it stands. */
import { nodeLeaseMs } from '../../core/node/liveness.ts';
import { place, type PlaceResult } from '../../core/place/place.ts';
import { advance, missingReplicas } from '../../core/rollout/advance.ts';
import type { Advance } from '../../core/rollout/facts.ts';
import { isTerminal } from '../../core/rollout/stage.ts';
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
  type RolloutWake,
} from '../../prisma/store/rollouts.ts';
import type { WorkerDeps } from '../deps.ts';
import { settleIntent, type Settled } from '../intents/settle.ts';
import { wake, wakeAt } from '../wake.ts';

/** Steps of one call at most: a rollout has fewer stages, so more would be a rule that never rests. */
const maxSteps = 50;

/** Addresses freed within this time are taken last. */
const rememberAddressesMs = 3_600_000;

interface Step {
  decision: Advance;
  /** The rollout's, as it was read. */
  factsVersion: number;
  moved: boolean;
  settled: Settled | null;
  woken: RolloutWake[];
}

async function placementFor(deps: WorkerDeps, tx: Db, snapshot: RolloutSnapshot): Promise<PlaceResult | null> {
  const replicas = missingReplicas(snapshot.view, snapshot.facts.allocations);
  if (replicas.length === 0) return null;
  await lockPlacement(tx);
  const now = deps.now();
  const nodes = await loadPlaceNodes(tx, {
    pools: deps.pools,
    rememberSince: new Date(now.getTime() - rememberAddressesMs),
  });
  return place({ serviceId: snapshot.service.id, resources: snapshot.spec.resources, replicas }, nodes, now);
}

async function step(deps: WorkerDeps, tx: Db, rolloutId: string): Promise<Step> {
  const now = deps.now();
  const snapshot = await loadRollout(tx, rolloutId, new Date(now.getTime() - nodeLeaseMs));
  const { rollout, view, facts } = snapshot;
  const decision = advance(view, { ...facts, placement: await placementFor(deps, tx, snapshot) }, now);
  const still = { decision, factsVersion: rollout.factsVersion, moved: false, settled: null, woken: [] };
  if (decision.transition === null) {
    const { waiting } = decision;
    if (waiting !== null) await recordWaiting(tx, rollout, { ...waiting, at: now });
    return still;
  }
  if (!(await changeRollout(tx, rollout, decision.transition, now))) return { ...still, moved: true };
  for (const effect of decision.effects) await applyEffect(tx, rollout, effect);
  return {
    ...still,
    moved: true,
    settled: rollout.intentId === null ? null : await settleIntent(deps, tx, rollout.intentId),
    woken: isTerminal(decision.transition.to) ? await touchRollouts(tx, rollout.serviceId) : [],
  };
}

/** Moves the rollout as far as the facts allow, and asks to be called again when time alone can move it further. */
export async function driveRollout(deps: WorkerDeps, rolloutId: string): Promise<void> {
  for (let count = 0; count < maxSteps; count++) {
    const { decision, factsVersion, moved, settled, woken } = await transaction(deps.database, (tx) =>
      step(deps, tx, rolloutId),
    );
    await wake(deps, { settled, rollouts: woken });
    if (moved) continue;
    const payload = { rolloutId, version: factsVersion };
    if (decision.wakeAt !== null) await wakeAt(deps, decision.wakeAt, { job: advanceRollout, payload });
    return;
  }
  throw new Error(`The rollout ${rolloutId} took ${maxSteps} steps without coming to rest.`);
}
