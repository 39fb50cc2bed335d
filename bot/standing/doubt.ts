/** What is thrown while GitHub's answer may be older than the delivery that it contradicts. */
import { waitForGithub } from '../../core/delivery/lag.ts';
import { WaitingError } from '../../platform/errors/errors.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';

/** Throws WaitingError unless the delivery is so old that GitHub's answer counts. */
export function doubtAnswer({ now }: Pick<HandlerDeps, 'now'>, event: ReceivedEvent): void {
  const at = now().getTime();
  const wait = waitForGithub(at - event.receivedAt.getTime());
  if (wait !== null) throw new WaitingError(wait.code, wait.reason, { until: new Date(at + wait.afterMs) });
}

/** How often a row may change under our hands before the job is given back. */
export const maxRounds = 5;
