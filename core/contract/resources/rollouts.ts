/** Rollouts, their stages, and the releases that they bring: `/api/v1/rollouts`. */
import Type, { type Static } from 'typebox';
import { AllocationResource } from './allocations.ts';
import { orNull, Time } from './schema.ts';

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

export const RolloutDetail = Type.Interface([RolloutResource], {
  timeline: Type.Array(RolloutEventResource),
  allocations: Type.Array(AllocationResource),
});
export type RolloutDetail = Static<typeof RolloutDetail>;
