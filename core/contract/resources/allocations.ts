/** Allocations: where the replicas of services run, and how. */
import Type, { type Static } from 'typebox';
import { orNull, Time } from './schema.ts';

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
