/** Follows one container's health from probe to probe. */
import type { HealthCheck } from '../spec/service.ts';

export type ProbeResult = { ok: true } | { ok: false; message: string };

export type HealthState = {
  status: 'starting' | 'healthy' | 'unhealthy';
  startedAt: Date;
  /** Consecutive. */
  successes: number;
  failures: number;
  probes: number;
  /** Why the last probe failed. */
  message: string | null;
  nextProbeAt: Date;
};

/** Until it serves a container is asked often, so that a rollout does not wait for the next interval. */
const firstDelayMs = 50;

/** Right after a start. For `running` checks the first probe is due after the grace time. */
export function initialHealth(check: HealthCheck, startedAt: Date): HealthState {
  const delay = check.kind === 'running' ? check.graceMs : firstDelayMs;
  return {
    status: 'starting',
    startedAt,
    successes: 0,
    failures: 0,
    probes: 0,
    message: null,
    nextProbeAt: later(startedAt, delay),
  };
}

/** After a probe. For a `running` check the result says whether the container still runs. */
export function nextHealth(
  state: HealthState,
  result: ProbeResult,
  { check, now }: { check: HealthCheck; now: Date },
): HealthState {
  const successes = result.ok ? state.successes + 1 : 0;
  const failures = result.ok || isGraced(state, check, now) ? 0 : state.failures + 1;
  const probes = state.probes + 1;
  const status = nextStatus(state.status, { successes, failures, check });
  const delay = status === 'starting' ? startingDelay(probes, check) : check.intervalMs;
  const message = result.ok ? null : result.message;
  return { status, startedAt: state.startedAt, successes, failures, probes, message, nextProbeAt: later(now, delay) };
}

/** Failures count after the grace time, and as soon as it has been healthy once. */
function isGraced(state: HealthState, check: HealthCheck, now: Date): boolean {
  return state.status === 'starting' && now.getTime() - state.startedAt.getTime() < check.graceMs;
}

function nextStatus(
  status: HealthState['status'],
  { successes, failures, check }: { successes: number; failures: number; check: HealthCheck },
): HealthState['status'] {
  const needed = check.kind === 'running' ? 1 : check.healthyAfter;
  if (successes >= needed) return 'healthy';
  return failures >= check.unhealthyAfter ? 'unhealthy' : status;
}

function startingDelay(probes: number, { intervalMs }: HealthCheck): number {
  return Math.min(intervalMs, Math.round(firstDelayMs * 1.1 ** Math.min(probes, 100)));
}

function later(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
