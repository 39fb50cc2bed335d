/** Places replicas on nodes: what fits, spread out, with the reasons recorded (P05). */
import type { Rejection } from '../build/decide.ts';
import type { ReasonCode } from '../intent/reasons.ts';
import type { Resources } from '../spec/service.ts';

export type PlaceRequest = {
  serviceId: string;
  resources: Resources;
  /** Numbers of the replicas to place. */
  replicas: readonly number[];
};

/** An allocation of a node, as far as it takes something from it. */
export type NodeAllocation = {
  serviceId: string;
  ip: string;
  resources: Resources;
  /** Set: it is gone, and only its address is remembered (the least recently used is taken first). */
  stoppedAt: Date | null;
};

export type PlaceNode = {
  id: string;
  name: string;
  kind: 'worker' | 'proxy';
  lastSeenAt: Date | null;
  cordoned: boolean;
  removed: boolean;
  /** e.g. `10.200.3.0/24` */
  containerCidr: string;
  /** What the agent reported; null: not yet. */
  capacity: { cpuMillis: number; memoryBytes: number } | null;
  allocations: readonly NodeAllocation[];
};

export type Placement = { replica: number; nodeId: string; ip: string; reasons: string[] };

export type PlaceResult =
  | { ok: true; placements: Placement[]; rejections: Rejection[] }
  | { ok: false; code: ReasonCode; reason: string; rejections: Rejection[] };

/** All replicas are placed, or none. Placements come sorted by replica. */
export function place(_request: PlaceRequest, _nodes: readonly PlaceNode[], _now: Date): PlaceResult {
  throw new Error('not written yet');
}
