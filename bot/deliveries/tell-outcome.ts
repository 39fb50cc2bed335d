/** Says in the log how a delivery ended that asked for nothing, or failed. `GET /api/v1/deliveries` shows the same. */
import type { Logger } from 'pino';
import type { DeliveryOutcome } from '../../prisma/store/deliveries.ts';

export interface ToldDelivery {
  guid: string;
  /** `push`, `check_run`; its action beside it, or with it in one: `check_run.rerequested`. */
  event: string;
  action?: string | null;
}

export function tellOutcome(log: Logger, { guid, event, action }: ToldDelivery, outcome: DeliveryOutcome): void {
  if (outcome.status === 'processed') return;
  const fields = {
    delivery: guid,
    event: action ? `${event}.${action}` : event,
    status: outcome.status,
    code: outcome.code,
  };
  if (outcome.status === 'failed') log.warn(fields, outcome.reason);
  else log.info(fields, outcome.reason);
}
