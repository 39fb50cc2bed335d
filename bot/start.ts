/** Puts the bot together: the route that takes webhooks in, and the jobs that work on them. */
import type { FastifyInstance } from 'fastify';
import { fetchMissedDeliveries, processDeliveries, processDelivery } from '../platform/queue/jobs.ts';
import { handle } from '../platform/queue/queues.ts';
import { deliveryReceivedAt, insertDeliveries, openStartsOf } from '../prisma/store/deliveries.ts';
import { workApart } from './deliveries/apart.ts';
import { missedDeliveries } from './deliveries/missed-deliveries.ts';
import { processDelivery as process } from './deliveries/process-delivery.ts';
import { processTogether, wakeDeliveries } from './deliveries/together.ts';
import type { BotDeps } from './deps.ts';
import { handledEvents, registerHandlers } from './handlers/register.ts';
import { webhookIntake } from './intake/webhook-intake.ts';

export interface Bot {
  /** Adds `POST /webhooks/github` to the server. */
  register(fastify: FastifyInstance): Promise<void>;
}

/** How often GitHub is asked for deliveries that never arrived. */
const missedEveryMs = 5 * 60_000;

/** Deliveries worked on at a time. */
const concurrency = 8;

/** The jobs stop with `deps.queues`, the route with its server. */
export function startBot(deps: BotDeps): Bot {
  const { database, queues, probot } = deps;
  registerHandlers(probot, deps, (guid) => deliveryReceivedAt(database.db, guid));
  const fetchMissed = missedDeliveries({ ...deps, handles: handledEvents });
  const work = workApart({
    work: (guid) => process(deps, guid),
    openStarts: (guid) => openStartsOf(database.db, guid),
  });
  queues.work(
    'deliveries',
    [
      handle(processDelivery, ({ guid }) => work(guid)),
      handle(processDeliveries, ({ guids }) => processTogether(guids, { queues, work })),
      handle(fetchMissedDeliveries, fetchMissed),
    ],
    { concurrency },
  );
  queues.every(fetchMissedDeliveries, {}, missedEveryMs);
  return {
    register: webhookIntake({
      verify: (rawBody, signature) => deps.github.verify(rawBody, signature),
      store: (deliveries) => insertDeliveries(database.pool, deliveries),
      wake: (guids) => wakeDeliveries(queues, guids),
      handles: handledEvents,
      log: deps.log,
      now: deps.now,
    }),
  };
}
