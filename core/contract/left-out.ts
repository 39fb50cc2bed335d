/** What people read of a replica that the expected state of its node leaves out. */
import Type, { type Static } from 'typebox';

/** A replica that is to run and that its node is not told of, because it could not; one that runs already is left running (P04). */
export const LeftOutReplica = Type.Object({
  allocationId: Type.String(),
  serviceId: Type.String(),
  serviceName: Type.String(),
  replica: Type.Integer(),
  nodeId: Type.String(),
  nodeName: Type.String(),
  code: Type.String(),
  /** Goes on behind the name of the service. */
  message: Type.String(),
  /** What a person does about it. */
  todo: Type.String(),
});
export type LeftOutReplica = Static<typeof LeftOutReplica>;
