/** Services, and what serves of each. */
import Type, { type Static } from 'typebox';
import { LeftOutReplica } from '../left-out.ts';
import { ReleaseResource, RolloutStage } from './rollouts.ts';
import { orNull, Time } from './schema.ts';

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
