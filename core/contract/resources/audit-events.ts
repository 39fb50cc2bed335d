/** Audit events: who changed what. */
import Type, { type Static } from 'typebox';
import { orNull, Time } from './schema.ts';

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
