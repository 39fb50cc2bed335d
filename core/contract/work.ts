/** Work leased to a node: offer, claim, renew, finish. The attempt number fences late writers. */
import Type, { type Static } from 'typebox';
import { Count } from './numbers.ts';
import { BuildSpec } from '../spec/service.ts';

export const WorkKind = Type.Union([
  Type.Literal('build'),
  Type.Literal('restart'),
  Type.Literal('stop'),
  Type.Literal('force_cleanup'),
  Type.Literal('cleanup_volumes'),
]);
export type WorkKind = Static<typeof WorkKind>;

export const WorkOffer = Type.Object({
  workId: Type.String(),
  kind: WorkKind,
  attempt: Type.Integer(),
  status: Type.Union([Type.Literal('offered'), Type.Literal('claimed')]),
  /** Set when claimed work is to stop. */
  cancel: Type.Union([Type.String(), Type.Null()]),
});
export type WorkOffer = Static<typeof WorkOffer>;

export const BuildOrder = Type.Object({
  kind: Type.Literal('build'),
  buildId: Type.String(),
  repositoryId: Type.Integer(),
  /** Clone URL without credentials. */
  cloneUrl: Type.String(),
  sha: Type.String({ pattern: '^[0-9a-f]{40}$' }),
  spec: BuildSpec,
  /** `registry/repository`, without tag. */
  imageName: Type.String(),
  registry: Type.Object({
    host: Type.String(),
    insecure: Type.Boolean(),
    sealedCredentials: Type.Union([Type.String(), Type.Null()]),
  }),
  /** Token for that repository with `contents: read`, sealed to this node. In memory only. */
  sealedSourceToken: Type.String(),
  limits: Type.Object({ cpuMillis: Type.Integer(), memoryBytes: Type.Integer() }),
  /** Bytes of log kept; what is beyond is dropped from the middle, and said. */
  maxLogBytes: Type.Integer(),
});
export type BuildOrder = Static<typeof BuildOrder>;

/** How long the lease holds from this answer on, in milliseconds: a length, because the clocks of two machines differ. */
const leaseMs = Type.Integer({ minimum: 1, maximum: 600_000 });

export const ClaimRequest = Type.Object({ attempt: Count });
export const ClaimAnswer = Type.Object({
  attempt: Type.Integer(),
  leaseMs,
  order: BuildOrder,
});
export type ClaimAnswer = Static<typeof ClaimAnswer>;

export const RenewAnswer = Type.Object({
  leaseMs,
  /** A reason code when the work is to stop. */
  cancel: Type.Union([Type.String(), Type.Null()]),
});
export type RenewAnswer = Static<typeof RenewAnswer>;

export const Annotation = Type.Object({
  path: Type.String(),
  line: Type.Integer({ minimum: 1 }),
  endLine: Type.Integer({ minimum: 1 }),
  message: Type.String(),
});
export type Annotation = Static<typeof Annotation>;

/** Why a build failed: a closed list, each with its page in docs/reasons.md. */
export const BuildFailureCode = Type.Union([
  Type.Literal('source_unavailable'),
  Type.Literal('dockerfile_missing'),
  Type.Literal('dockerfile_invalid'),
  Type.Literal('context_invalid'),
  Type.Literal('step_failed'),
  Type.Literal('base_image_unavailable'),
  Type.Literal('registry_refused'),
  Type.Literal('registry_failed'),
  Type.Literal('registry_unreachable'),
  Type.Literal('disk_full'),
  Type.Literal('out_of_memory'),
  Type.Literal('timed_out'),
  Type.Literal('builder_unavailable'),
  Type.Literal('internal'),
]);
export type BuildFailureCode = Static<typeof BuildFailureCode>;

export const BuildOutcome = Type.Union([
  Type.Object({
    kind: Type.Literal('succeeded'),
    imageDigest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
    /** TCP ports that the image declares with EXPOSE, ascending. */
    exposedPorts: Type.Array(Type.Integer({ minimum: 0, maximum: 65_535 })),
    /** Milliseconds. */
    timings: Type.Object({ fetch: Count, build: Count, push: Count }),
  }),
  Type.Object({
    kind: Type.Literal('failed'),
    code: BuildFailureCode,
    message: Type.String({ maxLength: 4_000 }),
    annotations: Type.Array(Annotation, { maxItems: 50 }),
    logTail: Type.Array(Type.String(), { maxItems: 50 }),
  }),
  Type.Object({ kind: Type.Literal('cancelled'), code: Type.String() }),
]);
export type BuildOutcome = Static<typeof BuildOutcome>;

export const FinishRequest = Type.Object({ attempt: Count, outcome: BuildOutcome });
export type FinishRequest = Static<typeof FinishRequest>;
