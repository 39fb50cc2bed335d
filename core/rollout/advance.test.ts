import { describe, expect, it } from 'vitest';
import { healthyAllocation } from '../../test/core/facts.ts';
import { nodeLeaseMs } from '../node/liveness.ts';
import { advance } from './advance.ts';
import type { Advance, AllocationFact, RolloutFacts, RolloutView } from './facts.ts';
import { missingReplicas } from './replicas.ts';
import type { RolloutStage } from './stage.ts';

const start = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(start.getTime() + ms);

const rollout: RolloutView = {
  id: 'r2',
  releaseId: 'v2',
  previousReleaseId: 'v1',
  generation: 2,
  stage: 'pending',
  stageSince: start,
  createdAt: start,
  replicas: 1,
  deadlineMs: 300_000,
  stopGraceMs: 10_000,
};
const old = healthyAllocation;
const own: AllocationFact = { ...old, id: 'new', rolloutId: 'r2', releaseId: 'v2' };
const placements = [{ replica: 0, nodeId: 'n1', ip: '10.200.1.2', reasons: [] }];
const facts: RolloutFacts = {
  service: { removed: null, generation: 2 },
  allocations: [own, old],
  nodes: [{ id: 'n1', name: 'one', lastSeenAt: start }],
  older: [{ generation: 1, finishedAt: at(-60_000) }],
  placement: null,
  dnsAwaiting: [],
  routesAwaiting: [],
};
const inStage = (stage: RolloutStage): RolloutView => ({ ...rollout, stage });
const withOwn = (changed: Partial<AllocationFact>): RolloutFacts => ({
  ...facts,
  allocations: [{ ...own, ...changed }, old],
});
const live = (given: RolloutFacts, now: Date): RolloutFacts => ({
  ...given,
  nodes: given.nodes.map((node) => ({ ...node, lastSeenAt: now })),
});
const to = ({ transition }: Advance) => (transition ? `${transition.to} ${transition.code}` : null);

describe('advance', () => {
  it('passes the stages in order', () => {
    const placed = advance(
      rollout,
      { ...facts, allocations: [old], placement: { ok: true, placements, rejections: [] } },
      start,
    );
    expect(to(placed)).toBe('pulling placed');
    expect(placed.effects).toEqual([{ kind: 'allocate', placements }]);
    const stages: RolloutStage[] = ['pulling', 'starting', 'healthy', 'dns_updating', 'traefik_updating'];
    expect(stages.map((stage) => to(advance(inStage(stage), facts, start)))).toEqual([
      'starting pulled',
      'healthy all_healthy',
      'dns_updating updating_dns',
      'traefik_updating dns_updated',
      'stopping_old routes_updated',
    ]);
    expect(to(advance(inStage('stopping_old'), { ...facts, allocations: [own] }, start))).toBe('running old_stopped');
  });

  it('P06: stops the old when the new serves, and only then', () => {
    expect(advance(inStage('traefik_updating'), facts, start).effects).toEqual([
      { kind: 'serve', releaseId: 'v2' },
      { kind: 'stop', allocationIds: ['old'] },
    ]);
    for (const stage of ['pulling', 'starting', 'healthy', 'dns_updating'] as const) {
      expect(advance(inStage(stage), facts, start).effects).toEqual([]);
    }
    const restarted = advance(inStage('traefik_updating'), withOwn({ health: 'starting' }), start);
    expect([to(restarted), restarted.waiting?.code]).toEqual([null, 'waiting_for_health']);
  });

  it('asks for the replicas that have no node, while it is pending', () => {
    expect(missingReplicas({ ...rollout, replicas: 3 }, [{ ...own, replica: 1 }, old])).toEqual([0, 2]);
    expect(missingReplicas({ ...inStage('pulling'), replicas: 3 }, [])).toEqual([]);
    expect(to(advance({ ...rollout, replicas: 0 }, { ...facts, allocations: [old] }, start))).toBe('pulling placed');
  });

  it('waits for an older rollout, however long that takes, and counts its time from then', () => {
    const waiting = advance(rollout, { ...facts, older: [{ generation: 1, finishedAt: null }] }, at(9_000_000));
    expect(waiting).toMatchObject({ transition: null, waiting: { code: 'waiting_for_older' } });
    const late = { ...facts, older: [{ generation: 1, finishedAt: at(9_000_000) }], allocations: [], placement: null };
    const first = advance(rollout, late, at(9_000_000));
    expect([to(first), first.wakeAt]).toEqual([null, at(9_005_000)]);
    expect(to(advance(rollout, late, at(9_300_000)))).toBe('rolled_back no_capacity');
  });

  it('says why it is pending, and fails when no room is found by the deadline', () => {
    const full = { ok: false as const, code: 'no_capacity' as const, reason: 'No node has room.', rejections: [] };
    const given = { ...facts, allocations: [old], placement: full };
    expect(advance(rollout, given, start)).toEqual({
      transition: null,
      effects: [],
      wakeAt: at(5_000),
      waiting: { code: 'no_capacity', message: 'No node has room.' },
    });
    const ended = advance({ ...rollout, previousReleaseId: null }, given, at(300_000));
    expect([to(ended), ended.effects, ended.transition?.message]).toEqual([
      'failed no_capacity',
      [],
      'No node has room.',
    ]);
  });

  it.each([
    ['crash_loop', { observed: 'exited', restarts: 3, detailCode: 'exited', detail: 'exit code 1' }, 0],
    ['out_of_memory', { observed: 'exited', restarts: 3, detailCode: 'out_of_memory' }, 0],
    ['health_failed', { health: 'unhealthy', detailCode: 'health_failed' }, 0],
    ['registry_refused', { observed: 'pulling', detailCode: 'registry_refused' }, 0],
    ['pull_failed', { observed: 'pulling', detailCode: 'pull_failed' }, 30_000],
    ['image_missing', { observed: 'pulling', detailCode: 'image_missing' }, 30_000],
    ['create_failed', { observed: 'created', detailCode: 'create_failed' }, 15_000],
    ['start_failed', { observed: 'created', detailCode: 'start_failed' }, 15_000],
    ['disk_full', { observed: 'pulling', detailCode: 'disk_full' }, 30_000],
  ] as const)('rolls back with %s, the last lines and the old release serving', (code, changed, patience) => {
    const given = withOwn({ ...changed, lastLog: ['last words'] });
    if (patience > 0) {
      const patient = advance(inStage('starting'), live(given, at(patience - 1)), at(patience - 1));
      expect([patient.transition, patient.wakeAt]).toEqual([null, at(patience)]);
    }
    const ended = advance(inStage('starting'), live(given, at(patience)), at(patience));
    expect(to(ended)).toBe(`rolled_back ${code}`);
    expect(ended.transition?.lastLog).toEqual(['last words']);
    expect(ended.transition?.message).toMatch(/^Replica 0 on one: ./);
    expect(ended.effects).toEqual([{ kind: 'stop', allocationIds: ['new'] }]);
  });

  it('goes on after two exits', () => {
    expect(advance(inStage('starting'), withOwn({ observed: 'exited', restarts: 2 }), start).transition).toBe(null);
  });

  it('fails at the deadline, unless all is well by then', () => {
    const slow = withOwn({ health: 'starting' });
    expect(advance(inStage('starting'), slow, start).wakeAt).toEqual(at(nodeLeaseMs));
    expect(advance(inStage('starting'), live(slow, at(299_000)), at(299_000)).wakeAt).toEqual(at(300_000));
    expect(to(advance(inStage('starting'), live(slow, at(300_000)), at(300_000)))).toBe('rolled_back deadline_passed');
    expect(to(advance(inStage('starting'), live(facts, at(999_000)), at(999_000)))).toBe('healthy all_healthy');
  });

  it('waits for live nodes to confirm DNS and routes, and rolls back when one does not', () => {
    const dns = { ...facts, dnsAwaiting: ['n9', 'n1'] };
    expect(advance(inStage('dns_updating'), dns, start).waiting?.message).toBe('Not confirmed by: n1, n9.');
    expect(to(advance(inStage('dns_updating'), live(dns, at(120_000)), at(120_000)))).toBe(
      'rolled_back dns_not_updated',
    );
    const routes = { ...facts, routesAwaiting: ['n9'] };
    expect(advance(inStage('traefik_updating'), routes, start).waiting?.code).toBe('waiting_for_routes');
    expect(to(advance(inStage('traefik_updating'), live(routes, at(120_000)), at(120_000)))).toBe(
      'rolled_back routes_not_updated',
    );
  });

  it('is unknown while its nodes are silent, and comes back with them', () => {
    const silent = at(nodeLeaseMs);
    const gone = advance(inStage('starting'), facts, silent);
    expect([to(gone), gone.transition?.message, gone.effects]).toEqual([
      'unknown nodes_silent',
      'Not reporting: one.',
      [],
    ]);
    const view = { ...inStage('unknown'), stageSince: silent };
    expect(advance(view, facts, silent)).toMatchObject({ transition: null, waiting: { code: 'nodes_silent' } });
    expect(to(advance(view, live(facts, at(50_000)), at(50_000)))).toBe('pulling nodes_back');
    expect(to(advance(view, facts, at(300_000)))).toBe('rolled_back nodes_silent');
  });

  it('gives nodes time to report when the control plane itself was away past the deadline', () => {
    const back = at(3_600_000);
    expect(to(advance(inStage('starting'), facts, back))).toBe('unknown nodes_silent');
    const view = { ...inStage('unknown'), stageSince: back };
    expect(advance(view, facts, back).transition).toBe(null);
    expect(to(advance(view, live(facts, at(3_610_000)), at(3_610_000)))).toBe('pulling nodes_back');
  });

  it('counts the deadline from when the control plane hears its nodes again', () => {
    const slow = { ...withOwn({ health: 'starting' }), hearingSince: at(3_600_000) };
    expect(advance(inStage('starting'), live(slow, at(3_899_999)), at(3_899_999)).transition).toBe(null);
    expect(to(advance(inStage('starting'), live(slow, at(3_900_000)), at(3_900_000)))).toBe(
      'rolled_back deadline_passed',
    );
  });

  it('waits for the old ones to be gone, though not for silent nodes nor for ever', () => {
    const stopping = { ...facts, allocations: [own, { ...old, nodeId: 'n2', desired: 'stopped' as const }] };
    const nodes = [...facts.nodes, { id: 'n2', name: 'two', lastSeenAt: start }];
    expect(advance(inStage('stopping_old'), { ...stopping, nodes }, start).waiting?.message).toBe(
      'Stopping: replica 0 on two.',
    );
    expect(to(advance(inStage('stopping_old'), { ...stopping, nodes }, at(nodeLeaseMs)))).toBe('running old_stopped');
    expect(to(advance(inStage('stopping_old'), live({ ...stopping, nodes }, at(120_000)), at(120_000)))).toBe(
      'running old_not_stopped',
    );
  });

  it('gives way to a newer generation before it is healthy, and completes first after that', () => {
    const newer = { ...facts, service: { removed: null, generation: 3 } };
    for (const stage of ['pending', 'pulling', 'starting', 'unknown'] as const) {
      const ended = advance(inStage(stage), newer, start);
      expect([to(ended), ended.effects]).toEqual(['stopped superseded', [{ kind: 'stop', allocationIds: ['new'] }]]);
    }
    expect(to(advance(inStage('healthy'), newer, start))).toBe('dns_updating updating_dns');
    expect(to(advance(inStage('traefik_updating'), newer, start))).toBe('stopping_old routes_updated');
  });

  it.each(['service_removed', 'environment_removed'] as const)('ends with %s, and stops all of it', (removed) => {
    const ended = advance(inStage('starting'), { ...facts, service: { removed, generation: 2 } }, start);
    expect([to(ended), ended.effects]).toEqual([
      `stopped ${removed}`,
      [{ kind: 'stop', allocationIds: ['new', 'old'] }],
    ]);
  });

  it('places a replica again that was lost with its node, and does not fail', () => {
    for (const stage of ['pulling', 'starting', 'healthy', 'dns_updating', 'traefik_updating', 'unknown'] as const)
      expect(to(advance(inStage(stage), { ...facts, allocations: [old] }, start))).toBe('pending allocation_lost');
  });
});

describe('advance, of a rollout that brings back lost replicas', () => {
  const again: RolloutView = { ...rollout, previousReleaseId: 'v2', replicas: 2 };
  const kept: AllocationFact = { ...own, id: 'kept', rolloutId: 'r1', replica: 1 };
  const full = { ok: false as const, code: 'no_capacity' as const, reason: 'No node has room.', rejections: [] };

  it('asks only for those that are lost', () => {
    expect(missingReplicas(again, [kept])).toEqual([0]);
    expect(missingReplicas(again, [{ ...kept, desired: 'stopped' }])).toEqual([0, 1]);
    expect(missingReplicas(again, [{ ...kept, replica: 2 }, old])).toEqual([0, 1]);
  });

  it('P06: keeps what runs, whether it succeeds or fails', () => {
    const both = { ...facts, allocations: [kept, own] };
    expect(advance({ ...again, stage: 'traefik_updating' }, both, start).effects).toEqual([
      { kind: 'serve', releaseId: 'v2' },
    ]);
    expect(to(advance({ ...again, stage: 'stopping_old' }, both, start))).toBe('running old_stopped');
    const broken = { ...both, allocations: [kept, { ...own, health: 'unhealthy' as const }] };
    const ended = advance({ ...again, stage: 'starting' }, broken, start);
    expect([to(ended), ended.effects]).toEqual([
      'rolled_back health_failed',
      [{ kind: 'stop', allocationIds: ['new'] }],
    ]);
    const alone = { ...broken, allocations: broken.allocations.slice(1) };
    expect(to(advance({ ...again, replicas: 1, stage: 'starting' }, alone, start))).toBe('failed health_failed');
  });

  it('does not wait for kept ones to be well', () => {
    const ill = { ...facts, allocations: [{ ...kept, health: 'unhealthy' as const }, own] };
    expect(to(advance({ ...again, stage: 'starting' }, ill, start))).toBe('healthy all_healthy');
  });

  it('stops what stands twice for one replica', () => {
    const twice = { ...facts, allocations: [kept, { ...kept, id: 'kept2' }, own] };
    expect(advance({ ...again, stage: 'traefik_updating' }, twice, start).effects).toContainEqual({
      kind: 'stop',
      allocationIds: ['kept2'],
    });
  });

  it('waits for room without end, and has its time from when it is placed', () => {
    const later = at(9_000_000);
    const waiting = advance(again, { ...facts, allocations: [kept], placement: full }, later);
    expect(waiting).toMatchObject({ transition: null, waiting: { code: 'no_capacity', message: 'No node has room.' } });
    expect(waiting.wakeAt).toEqual(at(9_005_000));
    const starting = { ...again, stage: 'starting' as const, stageSince: later };
    const slow = { ...facts, allocations: [kept, { ...own, health: 'starting' as const }] };
    expect(to(advance(starting, live(slow, at(9_299_000)), at(9_299_000)))).toBe(null);
    expect(to(advance(starting, live(slow, at(9_300_000)), at(9_300_000)))).toBe('rolled_back deadline_passed');
  });

  it('ends with the service, and stops the kept ones too', () => {
    const removed = {
      ...facts,
      allocations: [kept, own],
      service: { removed: 'service_removed', generation: 2 },
    } as const;
    expect(advance(again, removed, start).effects).toEqual([{ kind: 'stop', allocationIds: ['kept', 'new'] }]);
  });

  it('leaves the kept ones to a newer generation', () => {
    const newer = { ...facts, allocations: [kept, own], service: { removed: null, generation: 3 } };
    expect(advance({ ...again, stage: 'starting' }, newer, start).effects).toEqual([
      { kind: 'stop', allocationIds: ['new'] },
    ]);
  });
});

describe('P04: a replica that its node is not told of', () => {
  const leftOut = { code: 'secret_missing', message: 'its secrets are missing: TOKEN.' } as const;
  const out = (changed: Partial<AllocationFact> = {}) => withOwn({ observed: 'unobserved', leftOut, ...changed });

  it('ends the rollout at once with that very problem, where waiting does not help', () => {
    const decided = advance(inStage('pulling'), out(), start);
    expect(decided.transition).toMatchObject({
      to: 'rolled_back',
      code: 'secret_missing',
      message: 'Replica 0 on one: its secrets are missing: TOKEN.',
    });
    expect(decided.effects).toEqual([{ kind: 'stop', allocationIds: ['new'] }]);
  });

  it('is named while there is patience with it, and looked at again when that ends', () => {
    const locked = { code: 'master_key_missing', message: 'its secrets are locked.' } as const;
    const waits = advance(inStage('pulling'), live(out({ leftOut: locked }), start), start);
    expect(waits).toMatchObject({
      transition: null,
      waiting: { code: 'waiting_for_pull', message: 'Replica 0 on one: its secrets are locked.' },
      wakeAt: at(15_000),
    });
    const later = advance(inStage('pulling'), live(out({ leftOut: locked }), at(15_000)), at(15_000));
    expect(to(later)).toBe('rolled_back master_key_missing');
  });

  it('is what a rollout fails with whose deadline comes first, beside those that only lack the image', () => {
    const short = { ...inStage('pulling'), deadlineMs: 5_000, replicas: 2 };
    const taken = { code: 'address_taken', message: '10.200.1.2 is taken by mail.' } as const;
    const other: AllocationFact = { ...own, id: 'other', replica: 1, observed: 'pulling' };
    const given = { ...out({ leftOut: taken }), allocations: [...out({ leftOut: taken }).allocations, other] };
    expect(advance(short, live(given, at(5_000)), at(5_000)).transition).toMatchObject({
      code: 'address_taken',
      message:
        'The address of a replica is taken by another one. Replica 0 on one: 10.200.1.2 is taken by mail. Without the image: replica 1 on one.',
    });
  });

  it('is left running when it runs, and its rollout goes on', () => {
    expect(to(advance(inStage('starting'), out({ observed: 'running' }), start))).toBe('healthy all_healthy');
  });
});
