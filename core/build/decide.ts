/** Decides about builds: what makes two the same, which node does one, and what comes next for it. */
import type { Capability } from '../contract/status.ts';
import type { BuildStatus } from '../intent/outcome.ts';
import type { ReasonCode } from '../intent/reasons.ts';
import type { BuildSpec } from '../spec/service.ts';

export type BuildInputs = { service: string; sha: string; spec: BuildSpec };

/** Builds of one project with the same digest give the same image (P10). */
export function buildInputsDigest(_inputs: BuildInputs): string {
  throw new Error('not written yet');
}

export type BuildNode = {
  id: string;
  name: string;
  lastSeenAt: Date | null;
  cordoned: boolean;
  removed: boolean;
  capabilities: readonly Capability[];
  /** Build work offered to it or claimed by it. */
  runningBuilds: number;
  diskFreeBytes: number | null;
};

export type Rejection = { nodeId: string; name: string; code: ReasonCode; message: string };

export type ChosenBuildNode =
  | { ok: true; nodeId: string; reasons: string[]; rejections: Rejection[] }
  | { ok: false; code: ReasonCode; reason: string; rejections: Rejection[] };

export function chooseBuildNode(_nodes: readonly BuildNode[], _now: Date): ChosenBuildNode {
  throw new Error('not written yet');
}

export type BuildRow = {
  id: string;
  status: BuildStatus;
  createdAt: Date;
  timeoutMs: number;
};

export type BuildWork = {
  id: string;
  nodeId: string;
  attempt: number;
  status: 'offered' | 'claimed' | 'succeeded' | 'failed' | 'cancelled' | 'expired';
  createdAt: Date;
  claimedAt: Date | null;
  leaseUntil: Date | null;
  cancelCode: string | null;
};

export type BuildStep =
  /** Offer attempt `attempt`; first mark the work in `expire` as expired. `avoid`: nodes that lost an earlier attempt. */
  | { kind: 'offer'; attempt: number; expire: string[]; avoid: string[] }
  /** Set the cancel code on this live work and wake its node. */
  | { kind: 'cancel'; workIds: string[]; code: ReasonCode; until: Date | null }
  /** End the build as failed; mark the work in `expire` as expired. */
  | { kind: 'fail'; code: ReasonCode; reason: string; expire: string[] }
  /** Nothing to do before then. */
  | { kind: 'wait'; until: Date }
  /** The build is in a terminal state and no work is live. */
  | { kind: 'finished' };

export function nextBuildStep(_build: BuildRow, _work: readonly BuildWork[], _now: Date): BuildStep {
  throw new Error('not written yet');
}
