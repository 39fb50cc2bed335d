/** What an agent sees on its node, as far as a plan needs it. */
import type { NodePart, Removal } from './action.ts';

export type LocalContainer = {
  containerId: string;
  labels: Readonly<Record<string, string>>;
  /**
   * `stopping`: asked to, and still there. `dead`: the engine says that it is there, but its process is gone (P22). `other`: paused,
   * removing, …
   */
  state: 'created' | 'running' | 'stopping' | 'exited' | 'dead' | 'other';
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
  /** Begun and not ended when the containers were looked at. */
  underWay: readonly Removal[];
  parts: PartDifferences;
};
