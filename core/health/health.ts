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

/** Right after a start. For `running` checks the first probe is due after the grace time. */
export function initialHealth(_check: HealthCheck, _startedAt: Date): HealthState {
  throw new Error('not written yet');
}

/** After a probe. For a `running` check the result says whether the container still runs. */
export function nextHealth(
  _state: HealthState,
  _result: ProbeResult,
  _at: { check: HealthCheck; now: Date },
): HealthState {
  throw new Error('not written yet');
}
