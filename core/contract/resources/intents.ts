/** Intents, with the builds and rollouts that follow from each: `/api/v1/intents`. */
import Type, { type Static } from 'typebox';
import { BuildResource } from './builds.ts';
import { RolloutDetail } from './rollouts.ts';
import { orNull, Time } from './schema.ts';

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
  /** What runs otherwise than the commit's landfall.yml says, as a sentence; null when nothing does. */
  notTaken: orNull(Type.String()),
  builds: Type.Array(BuildResource),
  rollouts: Type.Array(RolloutDetail),
});
export type IntentDetail = Static<typeof IntentDetail>;
