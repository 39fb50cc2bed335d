/** One step that closes the difference between expected and observed state, and the line that describes it. */
import type { ExpectedContainer } from '../contract/expected-state.ts';

export type RedeployCause = 'dead' | 'state' | 'image' | 'spec' | 'address';

export type Action =
  /** Stop and remove a container of ours that nothing expects. */
  | { kind: 'stop_orphan'; allocationId: string; containerId: string; force: boolean }
  | { kind: 'start'; allocationId: string; containerId: string; container: ExpectedContainer }
  | { kind: 'deploy_missing'; allocationId: string; container: ExpectedContainer }
  /** Remove (by force when it is dead: P22), then deploy anew. */
  | {
      kind: 'redeploy';
      allocationId: string;
      containerId: string;
      container: ExpectedContainer;
      cause: RedeployCause;
      force: boolean;
    };

/** What a backoff is kept under: kind and allocation, and for an orphan its container. */
export function actionKey(action: Action): string {
  const subject = action.kind === 'stop_orphan' ? action.containerId : action.allocationId;
  return `${action.kind}:${subject}`;
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
  }
}

function named({ allocationId, container }: { allocationId: string; container: ExpectedContainer }): string {
  return `${container.serviceName} (allocation ${allocationId})`;
}

function short(containerId: string): string {
  return containerId.slice(0, 12);
}
