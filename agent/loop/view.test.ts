import { describe, expect, it } from 'vitest';
import type { HealthState } from '../../core/health/health.ts';
import { expectedContainer } from '../testing/control-plane.ts';
import { expecting } from '../../test/core/facts.ts';
import { exited, running, stopping } from '../testing/fake-node.ts';
import { emptyMemory, noteExit } from './memory.ts';
import { observedContainers, type View } from './view.ts';

const now = new Date('2030-01-01T00:00:00Z');
const web = expectedContainer({ image: 'r/web@sha256:1', ip: '10.200.1.2', allocationId: 'a1' });
const health = (change: Partial<HealthState>): HealthState => ({
  ...{ status: 'healthy', startedAt: now, successes: 1, failures: 0, probes: 1, message: null, nextProbeAt: now },
  ...change,
});
const view = (change: Partial<View>): View => ({
  ...{ expected: expecting(web), seen: [], memory: emptyMemory(), healthOf: () => null, lastLogOf: () => [] },
  ...change,
});

describe('the containers of a report', () => {
  it('are what runs, with health, address, image and spec', () => {
    const [one] = observedContainers(view({ seen: [running(web, 'c1', now)], healthOf: () => health({}) }));
    expect(one).toEqual({
      ...{ allocationId: 'a1', containerId: 'c1', state: 'running', health: 'healthy', ip: '10.200.1.2' },
      ...{ image: 'r/web@sha256:1', specDigest: web.specDigest, startedAt: now.toISOString(), restarts: 0 },
      ...{ detailCode: null, detail: null, lastLog: [], exitCode: null },
    });
  });

  it('leave out what is expected and not begun', () => {
    expect(observedContainers(view({}))).toEqual([]);
  });

  it('hold the place of one between a container and its successor, whether it is expected still or not', () => {
    const memory = emptyMemory();
    const redeploy = { kind: 'redeploy', allocationId: 'a1', containerId: 'c1', container: web } as const;
    const action = { ...redeploy, cause: 'spec', force: false } as const;
    memory.underWay.set('redeploy:a1', { action, ended: Promise.resolve() });
    for (const expected of [expecting(web), expecting(), null])
      expect(observedContainers(view({ memory, expected }))).toMatchObject([{ allocationId: 'a1', state: 'created' }]);
  });

  it('say that an image is being fetched', () => {
    const memory = emptyMemory();
    memory.pulling.add('a1');
    expect(observedContainers(view({ memory }))).toMatchObject([{ state: 'pulling', detailCode: null }]);
  });

  it.each([
    ['registry_refused', 'pulling'],
    ['pull_failed', 'pulling'],
    ['image_missing', 'pulling'],
    ['create_failed', 'created'],
    ['secrets_unreadable', 'created'],
  ] as const)('say why there is none yet: %s', (code, state) => {
    const memory = emptyMemory();
    memory.failures.set('a1', { code, message: 'Because.' });
    expect(observedContainers(view({ memory }))).toMatchObject([{ state, detailCode: code, detail: 'Because.' }]);
  });

  it('say how one ended, with its last lines', () => {
    const memory = emptyMemory();
    const seen = exited(running(web, 'c1', now), 3);
    noteExit(memory, { seen, lastLog: ['no database'] }, now);
    const [one] = observedContainers(view({ memory, seen: [seen] }));
    expect(one).toMatchObject({ state: 'exited', detailCode: 'exited', exitCode: 3, restarts: 1 });
    expect([one?.detail, one?.lastLog]).toEqual(['The container exited with code 3.', ['no database']]);
  });

  it('tell a kill for memory from another end', () => {
    const seen = { ...exited(running(web, 'c1', now), 137), outOfMemory: true };
    expect(observedContainers(view({ seen: [seen] }))).toMatchObject([{ detailCode: 'out_of_memory' }]);
  });

  it('say what the health check met, and whether it has failed', () => {
    const seen = [running(web, 'c1', now)];
    const message = 'connection refused';
    const lastLogOf = () => ['listening elsewhere'];
    const starting = view({ seen, lastLogOf, healthOf: () => health({ status: 'starting', message }) });
    const failed = view({ seen, lastLogOf, healthOf: () => health({ status: 'unhealthy', message }) });
    expect(observedContainers(starting)).toMatchObject([{ health: 'starting', detailCode: null, detail: message }]);
    expect(observedContainers(failed)).toMatchObject([
      { health: 'unhealthy', detailCode: 'health_failed', lastLog: ['listening elsewhere'] },
    ]);
  });

  it('P22: call one dead that only claims to run, and one in an unknown state too', () => {
    const seen = running(web, 'c1', now);
    for (const state of ['dead', 'other'] as const) {
      const dead = { ...seen, local: { ...seen.local, state } };
      expect(observedContainers(view({ seen: [dead] }))).toMatchObject([{ state: 'dead', health: 'none' }]);
    }
  });

  it('call one running that is asked to stop, until it has', () => {
    const one = stopping(running(web, 'c1', now));
    expect(observedContainers(view({ seen: [one] }))).toMatchObject([{ state: 'running', health: 'none' }]);
  });

  it('name an orphan too: it is gone only when it is', () => {
    const orphan = running({ ...web, allocationId: 'old' }, 'c0', now);
    expect(observedContainers(view({ expected: expecting(), seen: [orphan] }))).toMatchObject([
      { allocationId: 'old' },
    ]);
  });

  it('show the one that runs when two stand for an allocation, whatever their order', () => {
    const pair = [running(web, 'c2', now), exited(running(web, 'c1', now), 1)];
    for (const seen of [pair, pair.toReversed()]) {
      expect(observedContainers(view({ seen }))).toMatchObject([{ containerId: 'c2' }]);
    }
  });

  it('stay within what the contract takes', () => {
    const memory = emptyMemory();
    memory.failures.set('a1', { code: 'create_failed', message: 'x'.repeat(5_000) });
    expect(observedContainers(view({ memory }))[0]?.detail).toHaveLength(2_000);
    const seen = exited(running(web, 'c1', now), 1);
    noteExit(memory, { seen, lastLog: Array.from({ length: 80 }, () => 'y'.repeat(9_000)) }, now);
    const [one] = observedContainers(view({ memory, seen: [seen] }));
    expect([one?.lastLog.length, one?.lastLog[0]?.length]).toEqual([50, 4_000]);
  });
});
