/** Probes the containers that run, each at its own times and so many at once, and says when the health of one changes. */
import { initialHealth, nextHealth, type HealthState } from '../../core/health/health.ts';
import type { Clock } from '../loop/clock.ts';
import type { Probe, ProbeTarget } from './probe.ts';

export interface MonitorTarget extends ProbeTarget {
  allocationId: string;
  startedAt: Date;
}

export interface HealthMonitor {
  /** What runs now: probing starts for what is new, ends for what is gone, begins anew after a restart. */
  readonly sync: (targets: readonly MonitorTarget[]) => void;
  /** Null when it is not being probed. */
  readonly healthOf: (allocationId: string) => HealthState | null;
  readonly stop: () => void;
}

export interface MonitorOptions {
  clock: Clock;
  probe: Probe;
  /** Probes under way at the same time. */
  concurrency: number;
  onChange: (allocationId: string) => void;
}

interface Watch {
  target: MonitorTarget;
  state: HealthState;
  cancelTimer: () => void;
  abort: AbortController;
}

export function healthMonitor(options: MonitorOptions): HealthMonitor {
  const watches = new Map<string, Watch>();
  const queue: Watch[] = [];
  let underWay = 0;

  const schedule = (watch: Watch): void => {
    const wait = watch.state.nextProbeAt.getTime() - options.clock.now().getTime();
    watch.cancelTimer = options.clock.after(wait, () => {
      queue.push(watch);
      drain();
    });
  };
  const drain = (): void => {
    while (underWay < options.concurrency) {
      const watch = queue.shift();
      if (watch === undefined) return;
      if (!watch.abort.signal.aborted) void probeOne(watch);
    }
  };
  const probeOne = async (watch: Watch): Promise<void> => {
    underWay += 1;
    const result = await options.probe(watch.target, watch.abort.signal);
    underWay -= 1;
    if (!watch.abort.signal.aborted) {
      const before = watch.state.status;
      watch.state = nextHealth(watch.state, result, { check: watch.target.check, now: options.clock.now() });
      schedule(watch);
      if (watch.state.status !== before) options.onChange(watch.target.allocationId);
    }
    drain();
  };
  const end = (watch: Watch): void => {
    watch.cancelTimer();
    watch.abort.abort();
    watches.delete(watch.target.allocationId);
  };

  return {
    sync: (targets) => {
      const wanted = new Map(targets.map((target) => [target.allocationId, target]));
      for (const watch of [...watches.values()]) {
        const target = wanted.get(watch.target.allocationId);
        if (target === undefined || !sameRun(target, watch.target)) end(watch);
      }
      for (const target of targets) {
        if (watches.has(target.allocationId)) continue;
        const state = initialHealth(target.check, target.startedAt);
        const watch: Watch = { target, state, cancelTimer: () => undefined, abort: new AbortController() };
        watches.set(target.allocationId, watch);
        schedule(watch);
      }
    },
    healthOf: (allocationId) => watches.get(allocationId)?.state ?? null,
    stop: () => {
      for (const watch of [...watches.values()]) end(watch);
    },
  };
}

function sameRun(a: MonitorTarget, b: MonitorTarget): boolean {
  return a.containerId === b.containerId && a.startedAt.getTime() === b.startedAt.getTime();
}
