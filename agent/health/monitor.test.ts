import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../core/health/health.ts';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { healthMonitor, type MonitorTarget } from './monitor.ts';

const check = {
  kind: 'tcp',
  intervalMs: 1_000,
  timeoutMs: 500,
  graceMs: 0,
  healthyAfter: 1,
  unhealthyAfter: 2,
} as const;

function setUp(concurrency = 16) {
  const clock = manualClock();
  const world = {
    result: { ok: true } as ProbeResult,
    probed: [] as string[],
    changes: [] as string[],
    pending: [] as (() => void)[],
    hold: false,
  };
  const monitor = healthMonitor({
    clock,
    probe: ({ containerId }) => {
      world.probed.push(containerId);
      const { result } = world;
      if (!world.hold) return Promise.resolve(result);
      return new Promise((resolve) => world.pending.push(() => resolve(result)));
    },
    concurrency,
    onChange: (allocationId) => world.changes.push(allocationId),
  });
  const target = (change: Partial<MonitorTarget> = {}): MonitorTarget => ({
    ...{ allocationId: 'a1', containerId: 'c1', ip: '10.200.1.2', port: 80, check, startedAt: clock.now() },
    ...change,
  });
  return { clock, world, monitor, target };
}

/** Long enough for the first probes of a start. */
const soon = 2_000;

describe('health', () => {
  it('is told once when it changes, not at every probe', async () => {
    const { clock, monitor, target, world } = setUp();
    monitor.sync([target()]);
    expect(monitor.healthOf('a1')?.status).toBe('starting');
    await clock.advance(soon);
    expect(monitor.healthOf('a1')?.status).toBe('healthy');
    await clock.advance(5_000);
    expect(world.probed.length).toBeGreaterThan(3);
    expect(world.changes).toEqual(['a1']);
  });

  it('is followed through failures, with their reason', async () => {
    const { clock, monitor, target, world } = setUp();
    monitor.sync([target()]);
    await clock.advance(soon);
    world.result = { ok: false, message: 'refused' };
    await clock.advance(3_000);
    expect(monitor.healthOf('a1')).toMatchObject({ status: 'unhealthy', message: 'refused' });
    expect(world.changes).toEqual(['a1', 'a1']);
  });

  it('goes on through a sync that changes nothing, and begins anew after a restart', async () => {
    const { clock, monitor, target } = setUp();
    const first = target();
    monitor.sync([first]);
    await clock.advance(soon);
    monitor.sync([{ ...first }]);
    expect(monitor.healthOf('a1')?.status).toBe('healthy');
    monitor.sync([target({ startedAt: clock.now() })]);
    expect(monitor.healthOf('a1')?.status).toBe('starting');
  });

  it('ends for what is gone: no timer, no late result', async () => {
    const { clock, monitor, target, world } = setUp();
    world.hold = true;
    monitor.sync([target()]);
    await clock.advance(soon);
    monitor.sync([]);
    world.pending.forEach((finish) => finish());
    await settle();
    expect([monitor.healthOf('a1'), clock.armed(), world.changes]).toEqual([null, [], []]);
  });

  it('has no more probes under way than it may, and gets to all of them', async () => {
    const { clock, monitor, target, world } = setUp(2);
    world.hold = true;
    monitor.sync(
      ['c1', 'c2', 'c3', 'c4', 'c5'].map((containerId) => target({ allocationId: containerId, containerId })),
    );
    await clock.advance(soon);
    expect(world.probed).toEqual(['c1', 'c2']);
    while (world.probed.length < 5) {
      world.pending.shift()?.();
      await settle();
    }
    expect(world.probed).toEqual(['c1', 'c2', 'c3', 'c4', 'c5']);
  });

  it('leaves nothing behind when it stops', async () => {
    const { clock, monitor, target } = setUp();
    monitor.sync([target(), target({ allocationId: 'a2', containerId: 'c2' })]);
    monitor.stop();
    expect(clock.armed()).toEqual([]);
    await clock.advance(10_000);
  });
});
