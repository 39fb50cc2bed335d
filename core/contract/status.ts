/** What an agent reports: `POST /api/v1/agent/status`. */
import Type, { type Static } from 'typebox';
import { Count, LargeCount } from './numbers.ts';
import { WorkOffer } from './work.ts';

export const ObservedContainer = Type.Object({
  allocationId: Type.String(),
  containerId: Type.Union([Type.String(), Type.Null()]),
  state: Type.Union([
    Type.Literal('pulling'),
    Type.Literal('created'),
    Type.Literal('running'),
    Type.Literal('exited'),
    /** The engine says running, but the process is gone (P22). */
    Type.Literal('dead'),
  ]),
  specDigest: Type.Union([Type.String(), Type.Null()]),
  image: Type.Union([Type.String(), Type.Null()]),
  ip: Type.Union([Type.String(), Type.Null()]),
  health: Type.Union([
    Type.Literal('none'),
    Type.Literal('starting'),
    Type.Literal('healthy'),
    Type.Literal('unhealthy'),
  ]),
  /** A closed code for what stands in the way, with its sentence. */
  detailCode: Type.Union([
    Type.Null(),
    Type.Literal('exited'),
    Type.Literal('health_failed'),
    Type.Literal('pull_failed'),
    Type.Literal('image_missing'),
    Type.Literal('registry_refused'),
    Type.Literal('create_failed'),
    Type.Literal('start_failed'),
    Type.Literal('out_of_memory'),
    Type.Literal('disk_full'),
    Type.Literal('secrets_unreadable'),
  ]),
  detail: Type.Union([Type.String({ maxLength: 2_000 }), Type.Null()]),
  /** Last lines of its log, when it is not well. */
  lastLog: Type.Array(Type.String({ maxLength: 4_000 }), { maxItems: 50 }),
  exitCode: Type.Union([Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647 }), Type.Null()]),
  /** Starts after the first. */
  restarts: Count,
  startedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
});
export type ObservedContainer = Static<typeof ObservedContainer>;

export const ActionResult = Type.Object({
  /** Kind and subject of core/plan/action.ts, e.g. `deploy_missing`, an allocation id. */
  kind: Type.String(),
  subject: Type.String(),
  ok: Type.Boolean(),
  message: Type.Union([Type.String({ maxLength: 2_000 }), Type.Null()]),
  at: Type.String({ format: 'date-time' }),
  durationMs: LargeCount,
  /** When a failed action is tried again. */
  retryAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
});
export type ActionResult = Static<typeof ActionResult>;

export const NodeResources = Type.Object({
  cpuMillis: Count,
  memoryBytes: LargeCount,
  memoryFreeBytes: LargeCount,
  diskBytes: LargeCount,
  diskFreeBytes: LargeCount,
  load1: Type.Number(),
  architecture: Type.String(),
  kernel: Type.String(),
  engineVersion: Type.Union([Type.String(), Type.Null()]),
});
export type NodeResources = Static<typeof NodeResources>;

export const Capability = Type.Union([
  Type.Literal('build'),
  Type.Literal('dns'),
  Type.Literal('routes'),
  Type.Literal('peers'),
]);
export type Capability = Static<typeof Capability>;

export const StatusReport = Type.Object({
  /** Changes at every start of the agent; `sequence` counts up within it. */
  epoch: Type.String(),
  sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  agentVersion: Type.String(),
  phase: Type.Union([Type.Literal('idle'), Type.Literal('processing')]),
  /** Generation of the expected state this report is measured against. */
  generation: Count,
  /** No drift against it. */
  converged: Type.Boolean(),
  containers: Type.Array(ObservedContainer),
  actions: Type.Array(ActionResult, { maxItems: 200 }),
  digests: Type.Object({
    dns: Type.Union([Type.String(), Type.Null()]),
    routes: Type.Union([Type.String(), Type.Null()]),
    peers: Type.Union([Type.String(), Type.Null()]),
  }),
  /** Generation of the newest expected state whose part is in force, whatever becomes of the containers; 0 before the first. */
  inForce: Type.Optional(Type.Object({ dns: Count, routes: Count, peers: Count })),
  resources: NodeResources,
  publicAddress: Type.Union([Type.String(), Type.Null()]),
  /** How other nodes may reach this one's WireGuard; absent from an older agent, which has none. */
  wireguard: Type.Optional(
    Type.Object({
      listenPort: Type.Integer({ minimum: 1, maximum: 65_535 }),
      /** `host:port` that its operator gave. */
      endpoint: Type.Union([Type.String({ maxLength: 300 }), Type.Null()]),
    }),
  ),
  capabilities: Type.Array(Capability),
  /** Builds that it makes at once; 0 while it can make none. */
  buildSlots: Type.Integer({ minimum: 0, maximum: 1_000, default: 1 }),
});
export type StatusReport = Static<typeof StatusReport>;

export const StatusAnswer = Type.Object({
  sequence: Type.Integer(),
  /** The node's generation now. */
  generation: Type.Integer(),
  work: Type.Array(WorkOffer),
  /** Containers that were reported but are not this node's allocations: nothing was written about them. */
  refused: Type.Array(Type.Object({ allocationId: Type.String(), code: Type.Literal('not_assigned') })),
});
export type StatusAnswer = Static<typeof StatusAnswer>;
