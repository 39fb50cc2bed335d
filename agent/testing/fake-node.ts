/** A node without an engine: containers as data, changed by actions as the real one would. */
import type { ExpectedContainer } from '../../core/contract/expected-state.ts';
import { isRemoval, type Action, type NodePart, type Removal } from '../../core/plan/action.ts';
import { labelsOf } from '../../core/plan/labels.ts';
import type { NodeParts } from '../parts/parts.ts';
import type { Execute, ExecuteContext } from '../podman/execute.ts';
import type { SeenContainer } from '../podman/observe.ts';
import type { Clock } from '../loop/clock.ts';

export interface FakeNode {
  containers: SeenContainer[];
  /** In the order they were carried out. */
  done: Action['kind'][];
  /** Allocations whose container was asked to stop, in the order they were. */
  begun: string[];
  /** What happens instead, by allocation or part. */
  failing: Map<string, (signal: AbortSignal) => Promise<never>>;
  /** By allocation, the grace of which its container takes all. */
  graces: Map<string, number>;
  observe: () => Promise<SeenContainer[]>;
  execute: Execute;
  /** What differs of names, routes and peers; empty when it was applied. */
  differences: Record<NodePart, string[]>;
  parts: NodeParts;
}

export function fakeNode(clock: Clock): FakeNode {
  let made = 0;
  const remove = (containerId: string): void => {
    node.containers = node.containers.filter(({ local }) => local.containerId !== containerId);
  };
  const stop = async ({ containerId, allocationId }: Removal, context: ExecuteContext): Promise<void> => {
    const graceMs = node.graces.get(allocationId) ?? 0;
    context.onStopping(containerId, graceMs);
    node.begun.push(allocationId);
    if (graceMs > 0) await passed(graceMs, { clock, signal: context.signal });
    remove(containerId);
  };
  const run = (container: ExpectedContainer): void => {
    made += 1;
    node.containers.push(running(container, `container-${made}`, clock.now()));
  };
  const node: FakeNode = {
    differences: { dns: [], routes: [], peers: [] },
    parts: {
      look: () => Promise.resolve({ ...node.differences }),
      apply: async (part) => {
        const fail = node.failing.get(part);
        if (fail !== undefined) await fail(new AbortController().signal);
        node.done.push(`update_${part}`);
        node.differences[part] = [];
      },
    },
    containers: [],
    done: [],
    failing: new Map(),
    graces: new Map(),
    begun: [],
    observe: () => Promise.resolve([...node.containers]),
    execute: async (action, context) => {
      const { signal, onPulling } = context;
      const fail = node.failing.get(action.allocationId);
      if (action.kind === 'deploy_missing') onPulling();
      if (fail !== undefined) await fail(signal);
      if (isRemoval(action)) await stop(action, context);
      node.done.push(action.kind);
      switch (action.kind) {
        case 'stop_orphan':
        case 'redeploy':
          return;
        case 'deploy_missing':
          run(action.container);
          return;
        case 'start':
          remove(action.containerId);
          run(action.container);
          return;
      }
    },
  };
  return node;
}

export function running(container: ExpectedContainer, containerId: string, startedAt: Date): SeenContainer {
  return {
    local: { containerId, labels: labelsOf(container), state: 'running', image: container.image, ip: container.ip },
    allocationId: container.allocationId,
    exitCode: 0,
    outOfMemory: false,
    startedAt,
    logPath: null,
  };
}

export function stopping(seen: SeenContainer): SeenContainer {
  return { ...seen, local: { ...seen.local, state: 'stopping' } };
}

async function passed(milliseconds: number, { clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const cancel = clock.after(milliseconds, resolve);
    signal.addEventListener('abort', () => {
      cancel();
      reject(new Error('cancelled'));
    });
  });
}

export function exited(seen: SeenContainer, exitCode: number): SeenContainer {
  return { ...seen, local: { ...seen.local, state: 'exited', ip: null }, exitCode };
}
