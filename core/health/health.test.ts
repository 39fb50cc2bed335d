import { describe, expect, it } from 'vitest';
import type { HealthCheck } from '../spec/service.ts';
import { initialHealth, nextHealth, type HealthState, type ProbeResult } from './health.ts';

const start = new Date('2030-01-01T00:00:00Z');
const check: HealthCheck = {
  kind: 'tcp',
  intervalMs: 5_000,
  timeoutMs: 1_000,
  graceMs: 10_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
};
const good: ProbeResult = { ok: true };
const bad: ProbeResult = { ok: false, message: 'refused' };
const ms = (date: Date) => date.getTime() - start.getTime();

/** Probes whenever it is due; answers by time since the start. */
function follow(of: HealthCheck, answer: (at: number) => ProbeResult, until: number): HealthState[] {
  const states = [initialHealth(of, start)];
  for (let state = states[0]!; ms(state.nextProbeAt) <= until; state = states.at(-1)!) {
    const now = state.nextProbeAt;
    states.push(nextHealth(state, answer(ms(now)), { check: of, now }));
  }
  return states;
}

describe('health', () => {
  it('is healthy after so many good answers in a row', () => {
    const answers = [good, bad, good, good];
    let index = 0;
    const states = follow(check, () => answers[index++] ?? good, 500).slice(0, 5);
    expect(states.map(({ status }) => status)).toEqual(['starting', 'starting', 'starting', 'starting', 'healthy']);
    expect(ms(states[4]!.nextProbeAt) - ms(states[3]!.nextProbeAt)).toBe(check.intervalMs);
  });

  it('asks often until it serves: soon after it starts to answer it is healthy', () => {
    for (const ready of [0, 300, 1_000, 5_000]) {
      const once = { ...check, healthyAfter: 1 };
      const healthy = follow(once, (at) => (at >= ready ? good : bad), 20_000).findIndex(
        ({ status }) => status === 'healthy',
      );
      const states = follow(once, (at) => (at >= ready ? good : bad), 20_000);
      expect(ms(states[healthy - 1]!.nextProbeAt) - ready).toBeLessThanOrEqual(60 + ready / 9);
    }
  });

  it('does not count failures within the grace time, and is unhealthy after so many later', () => {
    const states = follow(check, () => bad, 60_000);
    const first = states.findIndex(({ status }) => status === 'unhealthy');
    expect(ms(states[first - 1]!.nextProbeAt)).toBeGreaterThanOrEqual(check.graceMs);
    expect(states[first]).toMatchObject({ failures: 3, message: 'refused' });
    expect(states.slice(first).every(({ status }) => status === 'unhealthy')).toBe(true);
  });

  it('is unhealthy in the grace time too once it has served, and healthy again later', () => {
    const answer = (at: number) => (at > 200 && at < 30_000 ? bad : good);
    const states = follow({ ...check, graceMs: 60_000 }, answer, 60_000).map(({ status }) => status);
    expect(states.filter((status, index) => status !== states[index - 1])).toEqual([
      'starting',
      'healthy',
      'unhealthy',
      'healthy',
    ]);
  });

  it('takes a workload without a port for healthy when it has run for the grace time', () => {
    const running: HealthCheck = { ...check, kind: 'running', graceMs: 2_000 };
    const states = follow(running, () => good, 2_000);
    expect([states.length, ms(states[0]!.nextProbeAt), states[1]?.status]).toEqual([2, 2_000, 'healthy']);
  });
});
