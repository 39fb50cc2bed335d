/** Reads what runs on this node: every container of ours, in the words of core/plan. */
import type { LocalContainer } from '../../core/plan/observed.ts';
import { labelNames } from '../../core/plan/labels.ts';
import type { InspectedContainer, ListedContainer } from './answers.ts';
import { isProcessOf } from './liveness.ts';
import type { Podman } from './podman.ts';

export interface SeenContainer {
  /** What a plan needs of it. */
  local: LocalContainer;
  allocationId: string;
  exitCode: number;
  outOfMemory: boolean;
  /** Null before its first start. */
  startedAt: Date | null;
  /** Where the engine writes its output, in the CRI format; null with another log driver. */
  logPath: string | null;
}

export type Observe = () => Promise<SeenContainer[]>;

export interface ObserveOptions {
  podman: Pick<Podman, 'list' | 'inspect'>;
  network: string;
  procRoot: () => string;
}

/** Inspects a container once per state it is seen in: the list alone lacks address, time of start and cause of death. */
export function observer({ podman, network, procRoot }: ObserveOptions): Observe {
  let known = new Map<string, { version: string; inspected: InspectedContainer }>();
  const inspect = async (listed: ListedContainer): Promise<InspectedContainer | null> => {
    const version = `${listed.State} ${listed.Pid} ${listed.StartedAt}`;
    const before = known.get(listed.Id);
    if (before?.version === version) return before.inspected;
    const inspected = await podman.inspect(listed.Id);
    if (inspected !== null) known.set(listed.Id, { version, inspected });
    return inspected;
  };
  return async () => {
    const list = await podman.list(labelNames.allocationId);
    known = new Map([...known].filter(([id]) => list.some(({ Id }) => Id === id)));
    const seen = await Promise.all(
      list.map(async (listed) => {
        const inspected = await inspect(listed);
        // Removed between the two calls: not there any more.
        if (inspected === null) return [];
        const claimsToLive = listed.State === 'running' || listed.State === 'stopping';
        const alive = !claimsToLive || (await isProcessOf(procRoot(), listed.Pid, listed.Id));
        return [seenContainer(listed, inspected, { alive, network })];
      }),
    );
    return seen.flat();
  };
}

export function seenContainer(
  listed: ListedContainer,
  inspected: InspectedContainer,
  facts: { alive: boolean; network: string },
): SeenContainer {
  const labels = listed.Labels ?? {};
  const address = inspected.NetworkSettings.Networks?.[facts.network]?.IPAddress;
  const { LogConfig } = inspected.HostConfig;
  return {
    local: {
      containerId: listed.Id,
      labels,
      state: stateOf(listed.State, facts.alive),
      image: listed.Image,
      ip: address === undefined || address === '' ? null : address,
    },
    allocationId: labels[labelNames.allocationId] ?? '',
    exitCode: listed.ExitCode,
    outOfMemory: inspected.State.OOMKilled,
    startedAt: startOf(inspected.State.StartedAt),
    logPath: LogConfig.Type === 'k8s-file' ? LogConfig.Path : null,
  };
}

function stateOf(state: string, alive: boolean): LocalContainer['state'] {
  switch (state) {
    case 'running':
      return alive ? 'running' : 'dead';
    case 'stopping':
      return alive ? 'stopping' : 'dead';
    case 'created':
    case 'configured':
    case 'initialized':
      return 'created';
    case 'exited':
    case 'stopped':
      return 'exited';
    default:
      return 'other';
  }
}

/** Go's zero time stands for "never". */
function startOf(text: string): Date | null {
  const at = new Date(text);
  return at.getTime() > 0 ? at : null;
}
