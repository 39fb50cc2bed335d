/** What `advance` looks at, and what it answers. */
import type { LeftOut } from '../expected/left-out.ts';
import type { ReasonCode } from '../intent/reasons.ts';
import type { Placement, PlaceResult } from '../place/place.ts';
import type { RolloutStage } from './stage.ts';

export type RolloutView = {
  id: string;
  releaseId: string;
  /** The release that served when this rollout was made; the same as `releaseId` when it brings back lost replicas of that one. */
  previousReleaseId: string | null;
  generation: number;
  stage: RolloutStage;
  stageSince: Date;
  createdAt: Date;
  /** Of the release's spec. */
  replicas: number;
  deadlineMs: number;
  stopGraceMs: number;
};

export type AllocationFact = {
  id: string;
  /** The rollout that made it. */
  rolloutId: string | null;
  releaseId: string;
  nodeId: string;
  replica: number;
  desired: 'running' | 'stopped';
  observed: 'unobserved' | 'pulling' | 'created' | 'running' | 'exited' | 'gone' | 'unknown';
  health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  detailCode: string | null;
  detail: string | null;
  lastLog: readonly string[];
  restarts: number;
  /** Why the expected state of its node leaves it out; null: it is in there, or is not to run. */
  leftOut: LeftOut | null;
};

export type RolloutFacts = {
  service: {
    /** Why nothing of it is to run any more. */
    removed: 'service_removed' | 'environment_removed' | null;
    /** The newest one asked for. */
    generation: number;
  };
  /** Every allocation of the service that is not stopped (`stoppedAt` is null), of every rollout. */
  allocations: readonly AllocationFact[];
  /** The nodes of these allocations. */
  nodes: readonly { id: string; name: string; lastSeenAt: Date | null }[];
  /** Rollouts of the service with a lower generation; at least the unfinished and the one that finished last. */
  older: readonly { generation: number; finishedAt: Date | null }[];
  /** What `place` answers for `missingReplicas`; null when none is missing. */
  placement: PlaceResult | null;
  /** Live nodes that serve DNS / routes and have not acknowledged the change; empty when no live node does. */
  dnsAwaiting: readonly string[];
  routesAwaiting: readonly string[];
  /** Since when this control plane hears its nodes: their silence before that is its own. */
  hearingSince?: Date;
};

/** One step, to be recorded as an event of the rollout. */
export type Transition = {
  from: RolloutStage;
  to: RolloutStage;
  code: ReasonCode;
  message: string;
  /** Last lines of what failed. */
  lastLog: string[];
};

export type Effect =
  /** Make these allocations (desired running, of this rollout). */
  | { kind: 'allocate'; placements: Placement[] }
  /** Set desired to stopped. Sorted. */
  | { kind: 'stop'; allocationIds: string[] }
  /** The release that serves from now on. */
  | { kind: 'serve'; releaseId: string };

export type Advance = {
  /** null: nothing to do now. Else apply it with the effects and call again. */
  transition: Transition | null;
  effects: Effect[];
  /** When a rule that depends on time may decide otherwise; null: only facts can. */
  wakeAt: Date | null;
  /** Why it stands still; null when it moves or has ended. */
  waiting: { code: ReasonCode; message: string } | null;
};
