/**
 * Moves a rollout by one step: start-first, and nothing that serves is stopped before its successor serves (P06).
 *
 * A newer rollout waits until the older ones of its service have ended. An older one that is not `healthy` yet ends as `stopped`
 * when a newer generation is asked for; from `healthy` on it completes first. One that lost a replica with its node places it again.
 */
import { reasons, type ReasonCode } from '../intent/reasons.ts';
import { isLive, silentAt } from '../node/liveness.ts';
import { failureOf, ofReplica, patienceEnds, withheld } from './failure.ts';
import type { Advance, AllocationFact, Effect, RolloutFacts, RolloutView, Transition } from './facts.ts';
import { byId, isReplacement, replicasOf, type Replicas } from './replicas.ts';
import { isTerminal, type RolloutStage } from './stage.ts';

/** Live nodes that have not acknowledged DNS or routes by then fail the rollout. */
const acknowledgeMs = 120_000;
/** When the control plane comes back its nodes get this long to report. */
const unknownMs = 60_000;
/** On top of their grace, before a rollout ends without them. */
const stopSlackMs = 60_000;
/** Some facts change without waking the rollout: room on a node, a node that reports again as before. */
const lookAgainMs = 5_000;

type Scene = Replicas & {
  rollout: RolloutView;
  facts: RolloutFacts;
  now: Date;
  /** When it has to be healthy. */
  deadline: Date;
};

export function advance(rollout: RolloutView, facts: RolloutFacts, now: Date): Advance {
  if (isTerminal(rollout.stage)) return { transition: null, effects: [], wakeAt: null, waiting: null };
  const scene = sceneOf(rollout, facts, now);
  return ended(scene) ?? troubled(scene) ?? moved(scene);
}

function sceneOf(rollout: RolloutView, facts: RolloutFacts, now: Date): Scene {
  const turns = facts.older.map(({ finishedAt }) => finishedAt?.getTime() ?? 0);
  // It may have waited for room for days: its time begins with each stage.
  if (isReplacement(rollout)) turns.push(rollout.stageSince.getTime());
  // What nodes said while nobody heard them is said again: the time for it begins when they are heard.
  const turn = Math.max(rollout.createdAt.getTime(), facts.hearingSince?.getTime() ?? 0, ...turns);
  const deadline = new Date(turn + rollout.deadlineMs);
  return { rollout, facts, now, ...replicasOf(rollout, facts.allocations), deadline };
}

/** Ends that do not depend on how it goes. */
function ended(scene: Scene): Advance | null {
  const { rollout, facts, own, kept, old } = scene;
  if (facts.service.removed !== null)
    return step(scene, 'stopped', { code: facts.service.removed, effects: stop([...own, ...kept, ...old]) });
  const replaceable: RolloutStage[] = ['pending', 'pulling', 'starting', 'unknown'];
  if (facts.service.generation > rollout.generation && replaceable.includes(rollout.stage)) {
    return step(scene, 'stopped', { code: 'superseded', effects: stop(own) });
  }
  return null;
}

/** What goes wrong between placement and the switch, or null. */
function troubled(scene: Scene): Advance | null {
  const { rollout, facts, now, own, missing } = scene;
  if (rollout.stage === 'pending' || rollout.stage === 'stopping_old') return null;
  if (missing.length > 0) return step(scene, 'pending', { code: 'allocation_lost' });
  const failure = failureOf(own, facts.nodes, { stageSince: rollout.stageSince, now });
  if (failure) return failed(scene, failure);
  if (rollout.stage === 'unknown' || silentNodes(scene).length === 0) return null;
  return step(scene, 'unknown', { code: 'nodes_silent', message: silentMessage(scene) });
}

function moved(scene: Scene): Advance {
  switch (scene.rollout.stage) {
    case 'pending':
      return pending(scene);
    case 'pulling':
      return gated(scene, waitingForPull(scene), { to: 'starting', code: 'pulled' });
    case 'starting':
      return gated(scene, waitingForHealth(scene), { to: 'healthy', code: 'all_healthy' });
    case 'healthy':
      return step(scene, 'dns_updating', { code: 'updating_dns' });
    case 'dns_updating':
      return gated(scene, waitingForNodes(scene, 'dns'), { to: 'traefik_updating', code: 'dns_updated' });
    case 'traefik_updating':
      return gated(scene, waitingForNodes(scene, 'routes') ?? waitingForHealth(scene), {
        to: 'stopping_old',
        code: 'routes_updated',
        effects: [{ kind: 'serve', releaseId: scene.rollout.releaseId }, ...stop(scene.old)],
      });
    case 'stopping_old':
      return stoppingOld(scene);
    case 'unknown':
      return unknown(scene);
    default:
      throw new Error(`A rollout in the stage ${scene.rollout.stage} has ended.`);
  }
}

function pending(scene: Scene): Advance {
  const { facts, now, deadline, rollout, missing } = scene;
  const before = facts.older.filter(({ finishedAt }) => finishedAt === null).map(({ generation }) => generation);
  if (before.length > 0) {
    const message = `Generation ${Math.max(...before)} of the service is still being rolled out.`;
    return rest(scene, { code: 'waiting_for_older', message }, []);
  }
  const { placement } = facts;
  if (missing.length === 0) return step(scene, 'pulling', { code: 'placed' });
  if (placement?.ok) {
    const effects: Effect[] = [{ kind: 'allocate', placements: placement.placements }];
    return step(scene, 'pulling', { code: 'placed', effects });
  }
  const lack = placement ? { code: placement.code, message: placement.reason } : noReason('no_capacity');
  const again = new Date(now.getTime() + lookAgainMs);
  if (isReplacement(rollout)) return rest(scene, lack, [again]);
  const heard = (facts.hearingSince?.getTime() ?? 0) + unknownMs;
  const until = new Date(Math.max(deadline.getTime(), heard));
  if (now >= until) return failed(scene, lack);
  return rest(scene, lack, [until, again]);
}

type Waiting = NonNullable<Advance['waiting']> & {
  /** What the rollout fails with when it waits past the limit of its stage. */
  failure: ReasonCode;
  until: Date;
};

type Next = { to: RolloutStage; code: ReasonCode; effects?: Effect[] };

/** Progress comes before the deadline: a late look must not fail what is well. */
function gated(scene: Scene, waiting: Waiting | null, next: Next): Advance {
  if (waiting === null) return step(scene, next.to, next);
  const { code, message, failure, until } = waiting;
  if (scene.now >= until) return failed(scene, { code: failure, message: `${reasons[failure].means} ${message}` });
  return rest(scene, { code, message }, [until]);
}

function waitingForPull(scene: Scene): Waiting | null {
  const without = scene.own.filter(({ observed }) => !['created', 'running', 'exited'].includes(observed));
  if (without.length === 0) return null;
  return { code: 'waiting_for_pull', ...lacking(scene, 'Without the image', without), until: scene.deadline };
}

function waitingForHealth(scene: Scene): Waiting | null {
  const { own, rollout, deadline } = scene;
  const ill = own.filter(({ observed, health }) => observed !== 'running' || health !== 'healthy');
  if (ill.length === 0) return null;
  const until = rollout.stage === 'starting' ? deadline : stageLimit(rollout);
  return { code: 'waiting_for_health', ...lacking(scene, 'Not healthy', ill), until };
}

/** What these lack, and of those that their node is not told of, why: that is what the rollout fails with in the end. */
function lacking(
  scene: Scene,
  what: string,
  replicas: readonly AllocationFact[],
): Pick<Waiting, 'message' | 'failure'> {
  const underWay = replicas.filter((replica) => withheld(replica) === null);
  const sentences = underWay.length === 0 ? [] : [`${what}: ${named(scene, underWay)}.`];
  let failure: ReasonCode = 'deadline_passed';
  for (const replica of replicas.toReversed()) {
    const why = withheld(replica);
    if (why === null) continue;
    failure = why.code;
    sentences.unshift(ofReplica(replica, scene.facts.nodes, why.message));
  }
  return { message: sentences.join(' '), failure };
}

function waitingForNodes({ rollout, facts }: Scene, what: 'dns' | 'routes'): Waiting | null {
  const awaiting = what === 'dns' ? facts.dnsAwaiting : facts.routesAwaiting;
  if (awaiting.length === 0) return null;
  const message = `Not confirmed by: ${awaiting.toSorted().join(', ')}.`;
  return { code: `waiting_for_${what}`, message, failure: `${what}_not_updated`, until: stageLimit(rollout) };
}

function stageLimit({ stageSince }: RolloutView): Date {
  return new Date(stageSince.getTime() + acknowledgeMs);
}

/** Replicas on silent nodes are told to stop and do so when they are back: they are not waited for. */
function stoppingOld(scene: Scene): Advance {
  const { rollout, old, now } = scene;
  const silent = new Set(silentNodes(scene, old).map(({ id }) => id));
  const left = old.filter(({ nodeId }) => !silent.has(nodeId));
  if (left.length === 0) return step(scene, 'running', { code: 'old_stopped' });
  const until = new Date(rollout.stageSince.getTime() + Math.max(rollout.stopGraceMs, stopSlackMs) + stopSlackMs);
  const message = `Stopping: ${named(scene, left)}.`;
  if (now >= until)
    return step(scene, 'running', { code: 'old_not_stopped', message: `${reasons.old_not_stopped.means} ${message}` });
  return rest(scene, { code: 'waiting_for_old', message }, [until]);
}

/** Back among the stages at `pulling`: what has been reached before is passed again at once. */
function unknown(scene: Scene): Advance {
  const { rollout, now, deadline } = scene;
  if (silentNodes(scene).length === 0) return step(scene, 'pulling', { code: 'nodes_back' });
  const until = new Date(Math.max(deadline.getTime(), rollout.stageSince.getTime() + unknownMs));
  const silence = { code: 'nodes_silent', message: silentMessage(scene) } as const;
  return now >= until ? failed(scene, silence) : rest(scene, silence, [until, new Date(now.getTime() + lookAgainMs)]);
}

/** Stops what this rollout started; what served before goes on serving. */
function failed(scene: Scene, why: { code: ReasonCode; message?: string; lastLog?: string[] }): Advance {
  const to = somethingServes(scene) ? 'rolled_back' : 'failed';
  const message = why.message ?? reasons[why.code].means;
  const decision = step(scene, to, { code: why.code, effects: stop(scene.own), message });
  return { ...decision, transition: decision.transition && { ...decision.transition, lastLog: why.lastLog ?? [] } };
}

function somethingServes({ rollout, kept }: Scene): boolean {
  return isReplacement(rollout) ? kept.length > 0 : rollout.previousReleaseId !== null;
}

function step(
  { rollout }: Scene,
  to: RolloutStage,
  { code, effects = [], message = reasons[code].means }: { code: ReasonCode; effects?: Effect[]; message?: string },
): Advance {
  const transition: Transition = { from: rollout.stage, to, code, message, lastLog: [] };
  return { transition, effects, wakeAt: null, waiting: null };
}

function rest(scene: Scene, waiting: { code: ReasonCode; message: string }, times: readonly Date[]): Advance {
  const { now, own, old, rollout, facts } = scene;
  const watched = new Set((rollout.stage === 'stopping_old' ? old : own).map(({ nodeId }) => nodeId));
  const silences = facts.nodes.filter(({ id }) => watched.has(id)).map((node) => silentAt(node, now));
  const patience = patienceEnds(own, { stageSince: rollout.stageSince, now });
  const next = [...times, ...patience, ...silences].filter((time) => time !== null && time > now).map(Number);
  return { transition: null, effects: [], wakeAt: next.length > 0 ? new Date(Math.min(...next)) : null, waiting };
}

function stop(allocations: readonly AllocationFact[]): Effect[] {
  const allocationIds = allocations
    .filter(({ desired }) => desired === 'running')
    .map(({ id }) => id)
    .sort();
  return allocationIds.length === 0 ? [] : [{ kind: 'stop', allocationIds }];
}

/** A node that the facts do not know counts as silent. */
function silentNodes({ facts, now, own }: Scene, of: readonly AllocationFact[] = own): { id: string; name: string }[] {
  const ids = [...new Set(of.map(({ nodeId }) => nodeId))].sort();
  return ids
    .map((id) => facts.nodes.find((node) => node.id === id) ?? { id, name: id, lastSeenAt: null })
    .filter((node) => !isLive(node, now));
}

function silentMessage(scene: Scene): string {
  return `Not reporting: ${silentNodes(scene)
    .map(({ name }) => name)
    .join(', ')}.`;
}

function named({ facts }: Scene, allocations: readonly AllocationFact[]): string {
  const nameOf = (nodeId: string) => facts.nodes.find(({ id }) => id === nodeId)?.name ?? nodeId;
  return allocations
    .toSorted((a, b) => a.replica - b.replica || byId(a, b))
    .map(({ replica, nodeId }) => `replica ${replica} on ${nameOf(nodeId)}`)
    .join(', ');
}

function noReason(code: ReasonCode): { code: ReasonCode; message: string } {
  return { code, message: reasons[code].means };
}
