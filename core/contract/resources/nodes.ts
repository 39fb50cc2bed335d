/** Servers, as people and the CLI see them: `/api/v1/nodes`. */
import Type, { type Static } from 'typebox';
import { NodeFailure } from '../../node/failures.ts';
import { LeftOutReplica } from '../left-out.ts';
import { Capability, NodeResources } from '../status.ts';
import { orNull, Time } from './schema.ts';

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
