/**
 * The agent's two states. IDLE: hold a long poll and wait for anything that may matter. PROCESSING: one pass against a snapshot.
 * A report always goes out before IDLE. What to do is core/plan's decision; this only drives it.
 */
import type { ExpectedContainer, ExpectedState } from '../../core/contract/expected-state.ts';
import { isConverged, planAgainAt } from '../../core/plan/plan.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { HealthMonitor, MonitorTarget } from '../health/monitor.ts';
import type { SeenContainer } from '../podman/observe.ts';
import type { Alarm, WakeReason } from './alarm.ts';
import { forgetAbsent, type Memory } from './memory.ts';
import { look, observedBy, runPass, type PassPorts, type Seen } from './pass.ts';

export interface Report {
  /** `idle`: nothing is under way, so what is not here is not about to come back. */
  phase: 'idle' | 'processing';
  converged: boolean;
  expected: ExpectedState | null;
  seen: readonly SeenContainer[];
}

export interface LoopPorts extends Omit<PassPorts, 'changed' | 'wake'> {
  alarm: Alarm;
  health: HealthMonitor;
  /** The newest expected state that is known; null before the first. */
  expected: () => ExpectedState | null;
  /** Asks for a newer one unless that is under way; rings the alarm when it has an answer. */
  poll: () => void;
  /** Hands a report over to be sent; the newest replaces one that still waits. */
  report: (report: Report) => void;
  /** At least this often the node is looked at though nothing rang. */
  lookEveryMs: number;
}

export async function runLoop(memory: Memory, ports: LoopPorts): Promise<void> {
  let reasons: WakeReason[] = ['timer'];
  while (!reasons.includes('stop')) {
    const again = await process(memory, ports);
    ports.poll();
    reasons = await ports.alarm.wait(again);
  }
  await Promise.all([...memory.underWay.values()].map(({ ended }) => ended));
}

/** One turn, from snapshot to report; answers when to look again at the latest. */
async function process(memory: Memory, ports: LoopPorts): Promise<Date> {
  const latest = new Date(ports.clock.now().getTime() + ports.lookEveryMs);
  try {
    const expected = ports.expected();
    if (expected === null) {
      ports.report({ phase: 'idle', converged: false, expected, seen: await look(memory, ports) });
      return latest;
    }
    const found = await pass(expected, memory, ports);
    const { seen } = found;
    const observed = observedBy(memory, found);
    const now = ports.clock.now();
    forgetAbsent(memory, new Set([...expected.containers, ...seen].map(({ allocationId }) => allocationId)));
    ports.health.sync(targetsOf(expected, seen));
    const phase = found.underWay.length === 0 ? 'idle' : 'processing';
    ports.report({ phase, converged: isConverged(expected, observed, now), expected, seen });
    const again = planAgainAt(expected, observed, now);
    return again !== null && again < latest ? again : latest;
  } catch (error) {
    // The engine does not answer: said, and tried again; whatever runs goes on running.
    ports.log(`The node cannot be looked at: ${messageOf(error)}`);
    return new Date(ports.clock.now().getTime() + engineRetryMs);
  }
}

const engineRetryMs = 1_000;

async function pass(expected: ExpectedState, memory: Memory, ports: LoopPorts): Promise<Seen> {
  return await runPass(expected, memory, {
    ...ports,
    wake: () => ports.alarm.ring('removal'),
    changed: (seen) => {
      ports.health.sync(targetsOf(expected, seen));
      ports.report({ phase: 'processing', converged: false, expected, seen });
    },
  });
}

/** What runs as expected is probed; a container that is to be replaced is not. */
export function targetsOf(expected: ExpectedState, seen: readonly SeenContainer[]): MonitorTarget[] {
  const wanted = new Map(expected.containers.map((container) => [container.allocationId, container]));
  return seen.flatMap((one) => {
    const container = wanted.get(one.allocationId);
    return container === undefined ? [] : targetOf(container, one);
  });
}

function targetOf(container: ExpectedContainer, seen: SeenContainer): MonitorTarget[] {
  if (seen.local.state !== 'running' || seen.startedAt === null) return [];
  const { allocationId, ip, port, health: check } = container;
  return [{ allocationId, ip, port, check, containerId: seen.local.containerId, startedAt: seen.startedAt }];
}
