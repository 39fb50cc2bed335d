/** Describes what is on the node for the status report: expected and observed state, health and failures in one list. */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import type { ObservedContainer } from '../../core/contract/status.ts';
import type { HealthState } from '../../core/health/health.ts';
import { labelNames } from '../../core/plan/labels.ts';
import type { SeenContainer } from '../podman/observe.ts';
import type { LastExit, Memory } from './memory.ts';

export interface View {
  expected: ExpectedState | null;
  seen: readonly SeenContainer[];
  memory: Memory;
  healthOf: (allocationId: string) => HealthState | null;
  /** Last lines of a container that runs and is not well. */
  lastLogOf: (allocationId: string) => readonly string[];
}

const maxDetail = 2_000;
const maxLine = 4_000;
const maxLines = 50;

/** Everything of ours that is here, and everything expected that is on its way or cannot be made. Sorted by allocation. */
export function observedContainers(view: View): ObservedContainer[] {
  const present = latestPerAllocation(view.seen);
  const replaced = [...view.memory.underWay.values()].flatMap(({ action }) =>
    action.kind === 'redeploy' ? action.allocationId : [],
  );
  const wanted = new Set([...(view.expected?.containers ?? []).map(({ allocationId }) => allocationId), ...replaced]);
  const absent = [...wanted].filter((allocationId) => !present.has(allocationId));
  const all = [
    ...[...present.values()].map((seen) => presentContainer(view, seen)),
    ...absent.flatMap((allocationId) => absentContainer(view, allocationId, replaced.includes(allocationId))),
  ];
  return all.sort((a, b) => (a.allocationId < b.allocationId ? -1 : 1));
}

/** One that runs stands for an allocation before one that does not. */
function latestPerAllocation(seen: readonly SeenContainer[]): Map<string, SeenContainer> {
  const sorted = seen.toSorted((a, b) => Number(a.local.state === 'running') - Number(b.local.state === 'running'));
  return new Map(sorted.map((one) => [one.allocationId, one]));
}

function presentContainer(view: View, seen: SeenContainer): ObservedContainer {
  const { local, allocationId } = seen;
  const health = view.healthOf(allocationId);
  const exit = view.memory.exits.get(allocationId);
  const trouble = troubleOf(view, seen);
  return {
    allocationId,
    containerId: local.containerId,
    state: view.memory.pulling.has(allocationId) && local.state !== 'running' ? 'pulling' : reportedState(local.state),
    specDigest: local.labels[labelNames.spec] ?? null,
    image: local.image,
    ip: local.ip,
    health: local.state === 'running' ? (health?.status ?? 'none') : 'none',
    ...trouble,
    exitCode: local.state === 'exited' ? seen.exitCode : (exit?.exitCode ?? null),
    restarts: view.memory.restarts.get(allocationId)?.restarts ?? 0,
    startedAt: seen.startedAt?.toISOString() ?? null,
  };
}

type Trouble = Pick<ObservedContainer, 'detailCode' | 'detail' | 'lastLog'>;

function troubleOf(view: View, seen: SeenContainer): Trouble {
  const { allocationId, local } = seen;
  const exit = view.memory.exits.get(allocationId);
  if (local.state === 'exited') return exitTrouble(seen, exit);
  const failure = view.memory.failures.get(allocationId);
  if (failure !== undefined) return trouble(failure.code, failure.message, exit?.lastLog ?? []);
  const health = view.healthOf(allocationId);
  if (local.state === 'running' && health !== null && health.status !== 'healthy' && health.message !== null) {
    const code = health.status === 'unhealthy' ? 'health_failed' : null;
    return trouble(code, health.message, view.lastLogOf(allocationId));
  }
  return trouble(null, null, []);
}

function exitTrouble(seen: SeenContainer, exit: LastExit | undefined): Trouble {
  if (seen.outOfMemory) {
    return trouble(
      'out_of_memory',
      'The container used more memory than its limit and was killed.',
      exit?.lastLog ?? [],
    );
  }
  return trouble('exited', `The container exited with code ${seen.exitCode}.`, exit?.lastLog ?? []);
}

/** There is no container yet for want of its image. */
const fetchFailures: ReadonlySet<string> = new Set(['pull_failed', 'image_missing', 'registry_refused']);

/** Between a container and its successor there may be none, and yet its address and room are not free. */
function absentContainer(view: View, allocationId: string, isReplaced: boolean): ObservedContainer[] {
  const failure = view.memory.failures.get(allocationId);
  const pulling = view.memory.pulling.has(allocationId);
  if (!pulling && failure === undefined && !isReplaced) return [];
  const fetching = pulling || (failure !== undefined && fetchFailures.has(failure.code));
  return [
    {
      allocationId,
      containerId: null,
      state: fetching ? 'pulling' : 'created',
      specDigest: null,
      image: null,
      ip: null,
      health: 'none',
      ...trouble(failure?.code ?? null, failure?.message ?? null, []),
      exitCode: null,
      restarts: view.memory.restarts.get(allocationId)?.restarts ?? 0,
      startedAt: null,
    },
  ];
}

function reportedState(state: SeenContainer['local']['state']): ObservedContainer['state'] {
  switch (state) {
    case 'stopping':
      return 'running';
    // Paused, being removed, …: not serving, and the plan replaces it.
    case 'other':
      return 'dead';
    default:
      return state;
  }
}

function trouble(
  detailCode: ObservedContainer['detailCode'],
  detail: string | null,
  lastLog: readonly string[],
): Trouble {
  return {
    detailCode,
    detail: detail?.slice(0, maxDetail) ?? null,
    lastLog: lastLog.slice(-maxLines).map((line) => line.slice(0, maxLine)),
  };
}
