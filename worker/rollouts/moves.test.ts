import { describe, expect, it } from 'vitest';
import type { AllocationFact, RolloutFacts, RolloutView } from '../../core/rollout/facts.ts';
import { movesOf } from './moves.ts';

const now = new Date('2030-01-01T00:00:00Z');

const rollout: RolloutView = {
  id: 'r2',
  releaseId: 'release-2',
  previousReleaseId: 'release-1',
  generation: 2,
  stage: 'starting',
  stageSince: now,
  createdAt: now,
  replicas: 1,
  deadlineMs: 60_000,
  stopGraceMs: 1_000,
};

function allocation(change: Partial<AllocationFact>): AllocationFact {
  const well = { desired: 'running', observed: 'running', health: 'healthy' } as const;
  const quiet = { detail: null, detailCode: null, lastLog: [], restarts: 0, leftOut: null };
  const of = { rolloutId: 'r2', releaseId: 'release-2' };
  return { id: 'a2', ...of, nodeId: 'n1', replica: 0, ...well, ...quiet, ...change };
}

function facts(allocations: AllocationFact[]): RolloutFacts {
  return {
    service: { removed: null, generation: 2 },
    allocations,
    nodes: [{ id: 'n1', name: 'one', lastSeenAt: now }],
    older: [{ generation: 1, finishedAt: now }],
    placement: null,
    dnsAwaiting: [],
    routesAwaiting: [],
  };
}

describe('movesOf', () => {
  it('takes all steps that need no new facts, and stops where the effects change them', () => {
    const old = allocation({ id: 'a1', rolloutId: 'r1' });
    const { transitions, effects, rest } = movesOf(rollout, facts([old, allocation({})]), now);
    expect(transitions.map(({ to }) => to)).toEqual(['healthy', 'dns_updating', 'traefik_updating', 'stopping_old']);
    expect(effects).toEqual([
      { kind: 'serve', releaseId: 'release-2' },
      { kind: 'stop', allocationIds: ['a1'] },
    ]);
    expect(rest).toBeNull();
  });

  it('goes to the end at once where nothing is to be stopped', () => {
    const { transitions, rest } = movesOf({ ...rollout, previousReleaseId: null }, facts([allocation({})]), now);
    expect(transitions.at(-1)?.to).toBe('running');
    expect(rest?.transition).toBeNull();
  });

  it('takes no step while it waits, and says why', () => {
    const { transitions, effects, rest } = movesOf(rollout, facts([allocation({ health: 'starting' })]), now);
    expect({ transitions, effects }).toEqual({ transitions: [], effects: [] });
    expect(rest?.waiting?.code).toBe('waiting_for_health');
  });

  it('begins each stage at the time of the step, so that no time of an earlier stage counts for a later one', () => {
    const late = { ...rollout, stageSince: new Date(now.getTime() - 300_000) };
    const waiting = { ...facts([allocation({})]), dnsAwaiting: ['n1'] };
    const { transitions, rest } = movesOf(late, waiting, now);
    expect(transitions.at(-1)?.to).toBe('dns_updating');
    expect(rest?.wakeAt?.getTime()).toBeGreaterThan(now.getTime());
  });
});
