/** What never happens, whatever the fleet does: a small world of allocations, nodes and time, driven at random. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { healthyAllocation } from '../../test/core/facts.ts';
import { advance } from './advance.ts';
import type { AllocationFact, Effect, RolloutFacts, RolloutView, Transition } from './facts.ts';
import { missingReplicas } from './replicas.ts';
import { isTerminal, rolloutStages } from './stage.ts';

const start = new Date('2030-01-01T00:00:00Z');
const nodeIds = ['n1', 'n2', 'n3'];

type World = {
  rollout: RolloutView;
  allocations: AllocationFact[];
  seen: Map<string, Date>;
  silent: Set<string>;
  generation: number;
  removed: boolean;
  olderDone: Date | null;
  room: boolean;
  dnsAwaiting: string[];
  routesAwaiting: string[];
  now: Date;
  transitions: Transition[];
  served: string[];
};

const secretMissing = { code: 'secret_missing', message: 'its secrets are missing: TOKEN.' } as const;
const addressTaken = { code: 'address_taken', message: '10.200.1.2 is taken by mail.' } as const;

const move = fc.oneof(
  fc.record({
    kind: fc.constant('allocation' as const),
    index: fc.nat(9),
    observed: fc.constantFrom('unobserved', 'pulling', 'created', 'running', 'exited', 'unknown'),
    health: fc.constantFrom('none', 'starting', 'healthy', 'unhealthy'),
    detailCode: fc.constantFrom(null, null, null, 'exited', 'pull_failed', 'health_failed', 'out_of_memory'),
    restarts: fc.nat(4),
    leftOut: fc.constantFrom(null, null, null, secretMissing, addressTaken),
  }),
  fc.record({ kind: fc.constant('well' as const), index: fc.nat(9) }),
  fc.record({ kind: fc.constant('allWell' as const) }),
  fc.record({ kind: fc.constantFrom('silence' as const, 'return' as const), node: fc.constantFrom(...nodeIds) }),
  fc.record({ kind: fc.constant('acks' as const), dns: fc.subarray(nodeIds), routes: fc.subarray(nodeIds) }),
  fc.record({ kind: fc.constant('acks' as const), dns: fc.constant([]), routes: fc.constantFrom([], ['n3']) }),
  fc.record({
    kind: fc.constantFrom('oldGone' as const, 'vanish' as const, 'newer' as const, 'remove' as const, 'full' as const),
  }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 90_000 }) }),
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

const well = { observed: 'running', health: 'healthy', detailCode: null, leftOut: null } as const;

function newWorld(replicas: number, oldReplicas: number): World {
  return {
    rollout: {
      id: 'r2',
      releaseId: 'v2',
      previousReleaseId: oldReplicas > 0 ? 'v1' : null,
      generation: 2,
      stage: 'pending',
      stageSince: start,
      createdAt: start,
      replicas,
      deadlineMs: 300_000,
      stopGraceMs: 10_000,
    },
    allocations: Array.from({ length: oldReplicas }, (_, i) => ({
      ...healthyAllocation,
      id: `old${i}`,
      replica: i,
      nodeId: nodeIds[i % 3]!,
    })),
    seen: new Map(nodeIds.map((id) => [id, start])),
    silent: new Set(),
    generation: 2,
    removed: false,
    olderDone: null,
    room: true,
    dnsAwaiting: ['n1', 'n2'],
    routesAwaiting: ['n3', 'n2'],
    now: start,
    transitions: [],
    served: [],
  };
}

function factsOf(world: World): RolloutFacts {
  const missing = missingReplicas(world.rollout, world.allocations);
  const placements = missing.map((replica) => ({
    replica,
    nodeId: nodeIds[replica % 3]!,
    ip: '10.200.1.2',
    reasons: [],
  }));
  return {
    service: { removed: world.removed ? 'service_removed' : null, generation: world.generation },
    allocations: world.allocations.map((one) => ({ ...one })),
    nodes: nodeIds.map((id) => ({ id, name: id, lastSeenAt: world.seen.get(id) ?? null })),
    older: [{ generation: 1, finishedAt: world.olderDone }],
    placement: world.room
      ? { ok: true, placements, rejections: [] }
      : { ok: false, code: 'no_capacity', reason: 'Full.', rejections: [] },
    dnsAwaiting: world.dnsAwaiting.filter((id) => !world.silent.has(id)),
    routesAwaiting: world.routesAwaiting.filter((id) => !world.silent.has(id)),
  };
}

function pass(world: World, ms: number): void {
  world.now = new Date(world.now.getTime() + ms);
  for (const id of nodeIds) if (!world.silent.has(id)) world.seen.set(id, world.now);
}

function apply(world: World, given: Move): void {
  const own = world.allocations.filter(({ rolloutId }) => rolloutId === 'r2');
  if (given.kind === 'allocation' || given.kind === 'well') {
    const target = own[given.index % Math.max(1, own.length)];
    const { kind: _kind, index: _index, ...changed } = given.kind === 'well' ? { ...given, ...well } : given;
    if (target) Object.assign(target, changed);
  } else if (given.kind === 'allWell') for (const one of own) Object.assign(one, well);
  else if (given.kind === 'silence') world.silent.add(given.node);
  else if (given.kind === 'return') world.silent.delete(given.node);
  else if (given.kind === 'acks') Object.assign(world, { dnsAwaiting: given.dns, routesAwaiting: given.routes });
  else if (given.kind === 'oldGone')
    world.allocations = world.allocations.filter(({ desired }) => desired === 'running');
  else if (given.kind === 'vanish') world.allocations = world.allocations.filter((one) => one !== own[0]);
  else if (given.kind === 'newer') world.generation += 1;
  else if (given.kind === 'remove') world.removed = true;
  else if (given.kind === 'full') world.room = !world.room;
  else if ('ms' in given) pass(world, given.ms);
  pass(world, 100);
  world.olderDone ??= world.now;
}

/** The driver: asks and applies until it rests, and looks at every answer. */
function drive(world: World): void {
  for (let count = 0; count < 20; count++) {
    const facts = factsOf(world);
    const { transition, effects, wakeAt, waiting } = advance(world.rollout, facts, world.now);
    if (transition === null) {
      expect(effects).toEqual([]);
      expect(waiting === null).toBe(isTerminal(world.rollout.stage));
      if (wakeAt) expect(wakeAt.getTime()).toBeGreaterThan(world.now.getTime());
      return;
    }
    expect(isTerminal(world.rollout.stage)).toBe(false);
    expect(transition.from).toBe(world.rollout.stage);
    check(world, transition, effects);
    world.transitions.push(transition);
    world.rollout = { ...world.rollout, stage: transition.to, stageSince: world.now };
    for (const effect of effects) perform(world, effect);
  }
  throw new Error('the driver never rests');
}

function check(world: World, { from, to }: Transition, effects: readonly Effect[]): void {
  const own = world.allocations.filter(({ rolloutId, desired }) => rolloutId === 'r2' && desired === 'running');
  const stopped = effects.flatMap((effect) => (effect.kind === 'stop' ? effect.allocationIds : []));
  if (stopped.some((id) => id.startsWith('old')) && !world.removed) {
    expect([from, to]).toEqual(['traefik_updating', 'stopping_old']);
    expect(own).toHaveLength(world.rollout.replicas);
    expect(own.every(({ observed, health }) => observed === 'running' && health === 'healthy')).toBe(true);
  }
  if (to === 'failed' || to === 'rolled_back' || to === 'stopped')
    expect(stopped).toEqual(expect.arrayContaining(own.map(({ id }) => id)));
  const order = rolloutStages.slice(0, 8) as readonly string[];
  if (!order.includes(from) || !order.includes(to)) return;
  if (to === 'pending') expect(own.length).toBeLessThan(world.rollout.replicas);
  else expect(order.indexOf(to)).toBe(order.indexOf(from) + 1);
}

function perform(world: World, effect: Effect): void {
  if (effect.kind === 'serve') world.served.push(effect.releaseId);
  if (effect.kind === 'stop')
    for (const one of world.allocations) if (effect.allocationIds.includes(one.id)) one.desired = 'stopped';
  if (effect.kind === 'allocate') {
    const made = effect.placements.map(({ replica, nodeId }) => ({
      ...healthyAllocation,
      id: `new${replica}`,
      rolloutId: 'r2',
      releaseId: 'v2',
      replica,
      nodeId,
      observed: 'unobserved' as const,
      health: 'none' as const,
    }));
    world.allocations.push(...made);
  }
}

function run(world: World, moves: readonly Move[]): void {
  drive(world);
  for (const one of moves) {
    apply(world, one);
    drive(world);
  }
}

/** Replicas of the release that serves are lost: 0 to 2 of them still run. */
function replacementWorld(replicas: number, standing: number): World {
  const world = newWorld(replicas, Math.min(replicas, standing));
  for (const one of world.allocations) Object.assign(one, { releaseId: 'v2', id: one.id.replace('old', 'kept') });
  return { ...world, rollout: { ...world.rollout, previousReleaseId: 'v2' } };
}

const worlds = fc.tuple(
  fc.integer({ min: 0, max: 4 }),
  fc.integer({ min: 0, max: 3 }),
  fc.array(move, { maxLength: 60 }),
);

describe('advance, whatever happens', () => {
  it('P06: never stops the old before the new is healthy, and keeps the order of stages', () => {
    fc.assert(
      fc.property(worlds, ([replicas, oldReplicas, moves]) => run(newWorld(replicas, oldReplicas), moves)),
      { numRuns: 1_000 },
    );
  });

  it('P06: never stops a replica that it keeps, unless the service goes', () => {
    fc.assert(
      fc.property(worlds, ([replicas, standing, moves]) => {
        const world = replacementWorld(replicas, standing);
        run(world, moves);
        const kept = world.allocations.filter(({ id }) => id.startsWith('kept'));
        if (!world.removed) expect(kept.every(({ desired }) => desired === 'running')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('reaches exactly one terminal stage in time, and stays there', () => {
    fc.assert(
      fc.property(worlds, fc.array(move, { maxLength: 20 }), ([replicas, oldReplicas, moves], afterwards) => {
        const world = newWorld(replicas, oldReplicas);
        run(world, moves);
        world.olderDone ??= world.now;
        for (let minute = 0; minute < 20 && !isTerminal(world.rollout.stage); minute++) {
          pass(world, 60_000);
          drive(world);
        }
        expect(isTerminal(world.rollout.stage)).toBe(true);
        const stage = world.rollout.stage;
        run(world, afterwards);
        expect(world.rollout.stage).toBe(stage);
        expect(world.transitions.filter(({ to }) => isTerminal(to))).toHaveLength(1);
        expect(world.served.length).toBeLessThanOrEqual(1);
        if (stage === 'running') expect(world.served).toEqual(['v2']);
        if (stage === 'failed' || stage === 'rolled_back') expect(world.served).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('P17: does not depend on the order of allocations, nodes, rollouts and acknowledgements', () => {
    fc.assert(
      fc.property(worlds, fc.constantFrom(...rolloutStages), ([replicas, oldReplicas, moves], stage) => {
        const world = newWorld(replicas, oldReplicas);
        run(world, moves);
        // All may fail at once, each in its own way.
        for (const one of world.allocations)
          Object.assign(one, { observed: 'running', health: 'unhealthy', detail: one.id });
        const facts = factsOf(world);
        const turned: RolloutFacts = {
          ...facts,
          allocations: facts.allocations.toReversed(),
          nodes: facts.nodes.toReversed(),
          older: facts.older.toReversed(),
          dnsAwaiting: facts.dnsAwaiting.toReversed(),
          routesAwaiting: facts.routesAwaiting.toReversed(),
        };
        const view = { ...world.rollout, stage };
        expect(advance(view, turned, world.now)).toEqual(advance(view, facts, world.now));
      }),
    );
  });
});
