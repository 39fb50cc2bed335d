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
export function actionKey(_action: Action): string {
  throw new Error('not written yet');
}

/** One line for a person. */
export function describe(_action: Action): string {
  throw new Error('not written yet');
}
