/** One step that closes the difference between expected and observed state, and the line that describes it. */
import type { ExpectedContainer } from '../contract/expected-state.ts';

export type RedeployCause = 'dead' | 'state' | 'image' | 'spec' | 'address';

/** What a node has besides its containers; `routes` on a proxy alone. */
export const nodeParts = ['dns', 'routes', 'peers'] as const;
export type NodePart = (typeof nodeParts)[number];

/** Brings one part of the node to what is expected. */
export type PartAction = {
  kind: 'update_dns' | 'update_routes' | 'update_peers';
  part: NodePart;
  /** What differs, in words. At least one. */
  differences: readonly string[];
};

export type Action = ContainerAction | PartAction;

export type ContainerAction =
  /** Stop and remove a container of ours that nothing expects. */
  | { kind: 'stop_orphan'; allocationId: string; containerId: string; force: boolean }
  | { kind: 'start'; allocationId: string; containerId: string; container: ExpectedContainer }
  | { kind: 'deploy_missing'; allocationId: string; container: ExpectedContainer }
  /** Fetch what its successor needs, then stop and remove it (by force when it is dead: P22). Its successor is deployed at once. */
  | {
      kind: 'redeploy';
      allocationId: string;
      containerId: string;
      container: ExpectedContainer;
      cause: RedeployCause;
      force: boolean;
    };

/** Takes a container away, which may last as long as the container's grace. */
export type Removal = Extract<ContainerAction, { kind: 'stop_orphan' | 'redeploy' }>;

export function isRemoval(action: Action): action is Removal {
  return action.kind === 'stop_orphan' || action.kind === 'redeploy';
}

/** What a backoff is kept under: kind and allocation, and for an orphan its container; of a part its kind alone. */
export function actionKey(action: Action): string {
  if ('part' in action) return action.kind;
  const subject = action.kind === 'stop_orphan' ? action.containerId : action.allocationId;
  return `${action.kind}:${subject}`;
}

/** What it is done to: an allocation, or a part of the node. */
export function actionSubject(action: Action): string {
  return 'part' in action ? action.part : action.allocationId;
}

export function partAction(part: NodePart, differences: readonly string[]): PartAction {
  return { kind: `update_${part}`, part, differences };
}

const causes: Record<RedeployCause, string> = {
  dead: 'its process is gone though the engine says it runs',
  state: 'it is in no state it can go on from',
  image: 'it runs another image',
  spec: 'its spec has changed',
  address: 'it has another address',
};

/** One line for a person. */
export function describe(action: Action): string {
  switch (action.kind) {
    case 'stop_orphan':
      return `Stop container ${short(action.containerId)}: nothing expects allocation ${action.allocationId}`;
    case 'start':
      return `Start ${named(action)}`;
    case 'deploy_missing':
      return `Deploy ${named(action)} from ${action.container.image}`;
    case 'redeploy':
      return `Redeploy ${named(action)}: ${causes[action.cause]}`;
    case 'update_dns':
      return `Update the names: ${listed(action)}`;
    case 'update_routes':
      return `Update the routes: ${listed(action)}`;
    case 'update_peers':
      return `Update the private network: ${listed(action)}`;
  }
}

const listedAtMost = 5;

function listed({ differences }: PartAction): string {
  const more = differences.length - listedAtMost;
  return `${differences.slice(0, listedAtMost).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function named({ allocationId, container }: { allocationId: string; container: ExpectedContainer }): string {
  return `${container.serviceName} (allocation ${allocationId})`;
}

function short(containerId: string): string {
  return containerId.slice(0, 12);
}
