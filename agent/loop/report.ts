/** Composes a status report at the moment it is sent. */
import type { NodeResources, StatusReport } from '../../core/contract/status.ts';
import type { ReportBody } from '../control/reporter.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import { partDigests } from '../parts/parts.ts';
import type { SeenContainer } from '../podman/observe.ts';
import type { Report } from './loop.ts';
import type { Memory } from './memory.ts';
import { observedContainers } from './view.ts';

export interface ReportPorts {
  memory: Memory;
  health: HealthMonitor;
  resources: () => Promise<NodeResources>;
  logTail: (seen: SeenContainer) => Promise<string[]>;
  capabilities: () => StatusReport['capabilities'];
  publicAddress: () => string | null;
  wireguard: NonNullable<StatusReport['wireguard']>;
  buildSlots: (resources: NodeResources) => number;
}

export async function composeReport(report: Report, ports: ReportPorts): Promise<ReportBody> {
  const { memory, health } = ports;
  const [resources, lastLogs] = await Promise.all([ports.resources(), logsOfTheUnwell(report, ports)]);
  const containers = observedContainers({
    expected: report.expected,
    seen: report.seen,
    memory,
    healthOf: health.healthOf,
    lastLogOf: (allocationId) => lastLogs.get(allocationId) ?? [],
  });
  return {
    phase: report.phase,
    generation: report.expected?.generation ?? 0,
    converged: report.converged,
    containers,
    actions: memory.results,
    digests: report.expected === null ? { dns: null, routes: null, peers: null } : partDigests(report.expected),
    inForce: { ...memory.inForce },
    resources,
    publicAddress: ports.publicAddress(),
    wireguard: ports.wireguard,
    capabilities: ports.capabilities(),
    buildSlots: ports.buildSlots(resources),
  };
}

/** What is well needs no log in the report. */
async function logsOfTheUnwell(report: Report, ports: ReportPorts): Promise<Map<string, string[]>> {
  const unwell = report.seen.filter(({ allocationId, local }) => {
    const state = ports.health.healthOf(allocationId);
    return local.state === 'running' && state !== null && state.status !== 'healthy' && state.failures > 0;
  });
  const logs = await Promise.all(unwell.map(async (seen) => [seen.allocationId, await ports.logTail(seen)] as const));
  return new Map(logs);
}
