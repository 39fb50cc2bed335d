/** What one node answers about `.internal`: the part of its expected state that its DNS server serves. */
import Type, { type Static } from 'typebox';

/** Lower case, without the dot at the end: `web.internal`, `web.production.internal`. */
const NameAddresses = Type.Record(Type.String(), Type.Array(Type.String()));

export const NameView = Type.Object({
  environmentId: Type.String(),
  /** Addresses of containers on this node whose questions are answered from this view. Sorted. */
  askers: Type.Array(Type.String()),
  /** Healthy replicas by name; a name without any is known, and has no address. */
  names: NameAddresses,
});
export type NameView = Static<typeof NameView>;

export const Names = Type.Object({
  /** How long an answer may be kept. Traffic is drained for as long before a replica goes. */
  ttlSeconds: Type.Integer({ minimum: 1, maximum: 3_600 }),
  /** By environment that has a container on this node; sorted by its id. */
  views: Type.Array(NameView),
});
export type Names = Static<typeof Names>;
