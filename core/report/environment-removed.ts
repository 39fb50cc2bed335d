/** Decides what GitHub is owed when an environment was removed: its deployments that are still `success` do not serve any more (P37). */
import type { Write } from './writes.ts';

export type EndedDeployment = {
  intentId: string;
  /** The console page of that intent. */
  consoleUrl: string;
};

export type RemovedEnvironment = {
  repositoryId: number;
  name: string;
  deployments: readonly EndedDeployment[];
};

/** Under the key of one that a newer deploy supersedes: whichever comes first is the end of it. */
export function environmentRemovedWrites({ repositoryId, name, deployments }: RemovedEnvironment): Write[] {
  return deployments.map(({ intentId, consoleUrl }) => ({
    key: `intent:${intentId}:status:inactive`,
    kind: 'createDeploymentStatus',
    coalesceKey: `intent:${intentId}:status`,
    payload: {
      repositoryId,
      intentId,
      body: {
        state: 'inactive',
        description: 'The environment was removed',
        environment: name,
        log_url: consoleUrl,
        auto_inactive: false,
      },
    },
  }));
}
