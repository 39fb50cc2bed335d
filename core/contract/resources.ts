/** What people and the CLI read of the control plane: the answers of `/api/v1/{projects,services,nodes,…}`. */
import Type, { type Static, type TSchema } from 'typebox';
import { LeftOutReplica } from './left-out.ts';
import { NodeFailure } from '../node/failures.ts';
import { Capability, NodeResources } from './status.ts';

const Time = Type.String({ format: 'date-time' });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const NodeKind = Type.Union([Type.Literal('worker'), Type.Literal('proxy')]);

export const NodeResource = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: NodeKind,
  /** `silent`: no report for longer than reports take. */
  state: Type.Union([Type.Literal('ready'), Type.Literal('cordoned'), Type.Literal('silent')]),
  /** X in 10.200.X.0/24. */
  subnet: Type.Integer(),
  containerCidr: Type.String(),
  wireguardAddress: Type.String(),
  publicAddress: orNull(Type.String()),
  /** How it stands in the private network; null: its agent takes no part, or has not reported yet. */
  mesh: orNull(
    Type.Object({
      /** `direct`: others call it. `behind_nat`: it calls them. `alone`: there are no others. */
      kind: Type.Union([Type.Literal('direct'), Type.Literal('behind_nat'), Type.Literal('alone')]),
      /** Names of nodes that it reaches through another one. */
      relayed: Type.Array(Type.Object({ name: Type.String(), through: Type.String() })),
      /** Names of nodes that it does not reach at all. */
      unreachable: Type.Array(Type.String()),
    }),
  ),
  capabilities: Type.Array(Capability),
  resources: orNull(NodeResources),
  agentVersion: orNull(Type.String()),
  /** Of its expected state now, and the one it has last converged to. */
  generation: Type.Integer(),
  appliedGeneration: Type.Integer(),
  /** Allocations on it that are to run. */
  allocations: Type.Integer(),
  /** Those of them that it is not told of, and why. */
  leftOut: Type.Array(LeftOutReplica),
  /** What it cannot do now, newest first, as its agent reported. */
  failures: Type.Array(NodeFailure),
  lastSeenAt: orNull(Time),
  createdAt: Time,
});
export type NodeResource = Static<typeof NodeResource>;

/** What `landfall node add` gets: the token is shown this once. */
export const NodeRegistration = Type.Object({
  name: Type.String(),
  kind: NodeKind,
  token: Type.String(),
  expiresAt: Time,
  /** Of the control plane, as its configuration says that servers reach it. */
  url: Type.String(),
});
export type NodeRegistration = Static<typeof NodeRegistration>;

export const ReleaseResource = Type.Object({
  id: Type.String(),
  number: Type.Integer(),
  sha: Type.String(),
  image: Type.String(),
  createdAt: Time,
});
export type ReleaseResource = Static<typeof ReleaseResource>;

export const RolloutStage = Type.Union([
  Type.Literal('pending'),
  Type.Literal('pulling'),
  Type.Literal('starting'),
  Type.Literal('healthy'),
  Type.Literal('dns_updating'),
  Type.Literal('traefik_updating'),
  Type.Literal('stopping_old'),
  Type.Literal('running'),
  Type.Literal('unknown'),
  Type.Literal('stopped'),
  Type.Literal('failed'),
  Type.Literal('rolled_back'),
]);
export type RolloutStage = Static<typeof RolloutStage>;

export const RolloutResource = Type.Object({
  id: Type.String(),
  serviceId: Type.String(),
  serviceName: Type.String(),
  environment: Type.String(),
  intentId: orNull(Type.String()),
  generation: Type.Integer(),
  stage: RolloutStage,
  stageSince: Time,
  reasonCode: orNull(Type.String()),
  reason: orNull(Type.String()),
  release: ReleaseResource,
  createdAt: Time,
  finishedAt: orNull(Time),
});
export type RolloutResource = Static<typeof RolloutResource>;

export const RolloutEventResource = Type.Object({
  at: Time,
  fromStage: orNull(RolloutStage),
  toStage: orNull(RolloutStage),
  reasonCode: Type.String(),
  message: Type.String(),
});
export type RolloutEventResource = Static<typeof RolloutEventResource>;

export const AllocationResource = Type.Object({
  id: Type.String(),
  serviceId: Type.String(),
  serviceName: Type.String(),
  releaseNumber: Type.Integer(),
  rolloutId: orNull(Type.String()),
  nodeId: Type.String(),
  nodeName: Type.String(),
  ip: Type.String(),
  /** Where it answers; null: it serves nothing. */
  port: orNull(Type.Integer()),
  replica: Type.Integer(),
  desired: Type.Union([Type.Literal('running'), Type.Literal('stopped')]),
  observed: Type.Union([
    Type.Literal('unobserved'),
    Type.Literal('pulling'),
    Type.Literal('created'),
    Type.Literal('running'),
    Type.Literal('exited'),
    Type.Literal('gone'),
    Type.Literal('unknown'),
  ]),
  health: Type.Union([
    Type.Literal('none'),
    Type.Literal('starting'),
    Type.Literal('healthy'),
    Type.Literal('unhealthy'),
  ]),
  detailCode: orNull(Type.String()),
  detail: orNull(Type.String()),
  lastLog: Type.Array(Type.String()),
  restarts: Type.Integer(),
  /** Why this node was chosen. */
  placement: Type.Array(Type.String()),
  createdAt: Time,
  observedAt: orNull(Time),
  stoppedAt: orNull(Time),
});
export type AllocationResource = Static<typeof AllocationResource>;

export const RolloutDetail = Type.Interface([RolloutResource], {
  timeline: Type.Array(RolloutEventResource),
  allocations: Type.Array(AllocationResource),
});
export type RolloutDetail = Static<typeof RolloutDetail>;

export const BuildStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('offered'),
  Type.Literal('building'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('superseded'),
]);
export type BuildStatus = Static<typeof BuildStatus>;

export const BuildResource = Type.Object({
  id: Type.String(),
  repository: Type.String(),
  service: Type.String(),
  sha: Type.String(),
  ref: Type.String(),
  status: BuildStatus,
  reasonCode: orNull(Type.String()),
  reason: orNull(Type.String()),
  image: orNull(Type.String()),
  attempt: Type.Integer(),
  /** Where the newest attempt was offered. */
  nodeName: orNull(Type.String()),
  /** Milliseconds. */
  timings: orNull(Type.Object({ fetch: Type.Integer(), build: Type.Integer(), push: Type.Integer() })),
  createdAt: Time,
  startedAt: orNull(Time),
  finishedAt: orNull(Time),
});
export type BuildResource = Static<typeof BuildResource>;

export const IntentStatus = Type.Union([
  Type.Literal('active'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('superseded'),
]);
export type IntentStatus = Static<typeof IntentStatus>;

export const IntentResource = Type.Object({
  id: Type.String(),
  repository: Type.String(),
  environment: Type.String(),
  sha: Type.String(),
  ref: Type.String(),
  trigger: Type.String(),
  actor: Type.String(),
  status: IntentStatus,
  reasonCode: orNull(Type.String()),
  reason: orNull(Type.String()),
  /** The console's page of it, open to whoever has this link. */
  url: Type.String(),
  requestedAt: Time,
  finishedAt: orNull(Time),
});
export type IntentResource = Static<typeof IntentResource>;

export const IntentDetail = Type.Interface([IntentResource], {
  builds: Type.Array(BuildResource),
  rollouts: Type.Array(RolloutDetail),
});
export type IntentDetail = Static<typeof IntentDetail>;

export const ServiceResource = Type.Object({
  id: Type.String(),
  name: Type.String(),
  generation: Type.Integer(),
  /** The release that serves now. */
  serving: orNull(ReleaseResource),
  /** Of the replicas that are to run. */
  replicas: Type.Object({ wanted: Type.Integer(), healthy: Type.Integer() }),
  /** Of the replicas that are to run, those that their nodes are not told of, and why. */
  leftOut: Type.Array(LeftOutReplica),
  /** The newest one. */
  rollout: orNull(
    Type.Object({
      id: Type.String(),
      stage: RolloutStage,
      reason: orNull(Type.String()),
      finishedAt: orNull(Time),
    }),
  ),
});
export type ServiceResource = Static<typeof ServiceResource>;

export const EnvironmentResource = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: Type.Union([Type.Literal('standing'), Type.Literal('preview')]),
  pullRequest: orNull(Type.Integer()),
  url: orNull(Type.String()),
  /** False: the newest landfall.yml on the default branch does not name it. What runs there runs on until it is removed. */
  configured: Type.Boolean(),
  services: Type.Array(ServiceResource),
});
export type EnvironmentResource = Static<typeof EnvironmentResource>;

export const EnvironmentRemoved = Type.Object({
  name: Type.String(),
  /** Names of the services that stop. */
  services: Type.Array(Type.String()),
  /** How many were deleted. */
  secrets: Type.Integer(),
});
export type EnvironmentRemoved = Static<typeof EnvironmentRemoved>;

export const ProjectResource = Type.Object({
  id: Type.String(),
  /** `owner/name`, as GitHub calls it now. */
  repository: Type.String(),
  /** The repository was deleted at GitHub or taken out of the installation; what runs runs on until its environment is removed. */
  removed: Type.Boolean(),
  directory: Type.String(),
  environments: Type.Array(EnvironmentResource),
});
export type ProjectResource = Static<typeof ProjectResource>;

export const AuditEventResource = Type.Object({
  id: Type.String(),
  at: Time,
  actor: Type.String(),
  action: Type.String(),
  /** `kind:id` */
  subject: Type.String(),
  reasonCode: orNull(Type.String()),
  reason: orNull(Type.String()),
});
export type AuditEventResource = Static<typeof AuditEventResource>;

export const DeliveryStatus = Type.Union([
  Type.Literal('received'),
  Type.Literal('processed'),
  Type.Literal('ignored'),
  Type.Literal('failed'),
]);
export type DeliveryStatus = Static<typeof DeliveryStatus>;

/** One webhook of GitHub's, and what became of it. */
export const DeliveryResource = Type.Object({
  /** GitHub's, as the Advanced page of the app shows it. */
  guid: Type.String(),
  event: Type.String(),
  action: orNull(Type.String()),
  /** `owner/name`, as GitHub calls it now; null: it is about none that is known. */
  repository: orNull(Type.String()),
  /** What was pushed, in full. */
  ref: orNull(Type.String()),
  sha: orNull(Type.String()),
  /** `received`: the work on it is not done. `processed`: what it asked for was done. */
  status: DeliveryStatus,
  /** Why it was ignored or failed, or is still waiting (docs/reasons.md). */
  reasonCode: orNull(Type.String()),
  reason: orNull(Type.String()),
  /** What a person does about it. */
  todo: orNull(Type.String()),
  /** That were repeated. */
  attempts: Type.Integer(),
  receivedAt: Time,
  processedAt: orNull(Time),
});
export type DeliveryResource = Static<typeof DeliveryResource>;

/** A secret without its value: no answer ever holds one. */
export const SecretResource = Type.Object({
  name: Type.String(),
  /** The one service it is for; null: every service of the environment. */
  service: orNull(Type.String()),
  /** The one in force. */
  version: Type.Integer(),
  setBy: Type.String(),
  setAt: Time,
  /** Services whose release names it, each with the version that it was made with. */
  usedBy: Type.Array(Type.Object({ service: Type.String(), version: Type.Integer() })),
});
export type SecretResource = Static<typeof SecretResource>;

export const SecretList = Type.Object({
  secrets: Type.Array(SecretResource),
  /** What services name and nobody has set. */
  missing: Type.Array(Type.Object({ service: Type.String(), name: Type.String() })),
});
export type SecretList = Static<typeof SecretList>;

/** Rollouts that bring another value to the services that run. */
const SecretRollouts = Type.Array(Type.Object({ id: Type.String(), service: Type.String() }));

export const SecretSet = Type.Object({ secret: SecretResource, rollouts: SecretRollouts });
export type SecretSet = Static<typeof SecretSet>;

export const SecretRemoved = Type.Object({ rollouts: SecretRollouts });
export type SecretRemoved = Static<typeof SecretRemoved>;

export const LogPage = Type.Object({
  lines: Type.Array(
    Type.Object({
      /** Number of the line in its stream; a jump means that lines between were dropped. */
      offset: Type.Integer(),
      at: Time,
      text: Type.String(),
      error: Type.Boolean(),
      /** Which replica wrote it, of a service's log. */
      source: orNull(Type.String()),
    }),
  ),
  /** Ask for `after` this cursor to go on; null when there was nothing. */
  cursor: orNull(Type.String()),
  /** Nothing comes after these lines. */
  ended: Type.Boolean(),
});
export type LogPage = Static<typeof LogPage>;
