/** What an agent sees on its node, as far as a plan needs it. */
import type { NodePart } from './action.ts';

export type LocalContainer = {
  containerId: string;
  labels: Readonly<Record<string, string>>;
  /** `dead`: the engine says running, but the process is gone (P22). `other`: paused, removing, … */
  state: 'created' | 'running' | 'exited' | 'dead' | 'other';
  /** As it was created with; null when the engine does not tell. */
  image: string | null;
  ip: string | null;
};

/** A failed action, and when it may be tried again. `key` is `actionKey(action)`. */
export type Backoff = { key: string; failures: number; retryAt: Date };

/** How often a container has exited, and when it may be started again. */
export type RestartRecord = { allocationId: string; restarts: number; retryAt: Date };

/** By part, what differs from what is expected, in words; nothing differs in one that is empty. */
export type PartDifferences = Readonly<Record<NodePart, readonly string[]>>;

export type Observed = {
  /** Containers with our allocation label; others are left alone even when listed. */
  containers: readonly LocalContainer[];
  backoffs: readonly Backoff[];
  restarts: readonly RestartRecord[];
  parts: PartDifferences;
};
