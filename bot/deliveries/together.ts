/** Deliveries that were stored together are woken and worked on together: a burst costs the queue one job. */
import { IgnoredError } from '../../platform/errors/errors.ts';
import { processDeliveries, processDelivery } from '../../platform/queue/jobs.ts';
import type { BotDeps } from '../deps.ts';

type Enqueues = Pick<BotDeps['queues'], 'enqueue'>;

export async function wakeDeliveries(queues: Enqueues, guids: readonly string[]): Promise<void> {
  const [guid, ...others] = guids;
  if (guid === undefined) return;
  if (others.length === 0) await queues.enqueue(processDelivery, { guid });
  else await queues.enqueue(processDeliveries, { guids: [...guids] });
}

/** Of one group, worked on at a time. */
const concurrency = 8;

/** In the order given. One that fails is tried again by itself, and holds none of the others up. */
export async function processTogether(
  guids: readonly string[],
  { queues, work }: { queues: Enqueues; work: (guid: string) => Promise<void> },
): Promise<void> {
  const waiting = [...guids];
  const workOff = async (): Promise<void> => {
    for (let guid = waiting.shift(); guid !== undefined; guid = waiting.shift()) {
      try {
        await work(guid);
      } catch (error) {
        if (!(error instanceof IgnoredError)) await queues.enqueue(processDelivery, { guid });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, workOff));
}
