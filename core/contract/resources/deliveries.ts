/** Deliveries: webhooks of GitHub's, and what became of each. */
import Type, { type Static } from 'typebox';
import { orNull, Time } from './schema.ts';

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
