/** What was decided, by whom and why: every answer to a person's "why?". */
import type { AuditEvent, Db } from '../client.ts';

export interface NewAuditEvent {
  actor: string;
  action: string;
  /** `kind:id` */
  subject: string;
  reasonCode?: string;
  reason?: string;
  at: Date;
}

export async function recordAuditEvent(db: Db, event: NewAuditEvent): Promise<void> {
  await db.auditEvent.create({ data: event });
}

export interface AuditQuery {
  subject?: string;
  /** Only events older than the one of this id. */
  before?: bigint;
  limit: number;
}

/** Newest first. */
export async function auditEvents(db: Db, { subject, before, limit }: AuditQuery): Promise<AuditEvent[]> {
  return db.auditEvent.findMany({
    where: { ...(subject === undefined ? {} : { subject }), ...(before === undefined ? {} : { id: { lt: before } }) },
    orderBy: { id: 'desc' },
    take: limit,
  });
}
