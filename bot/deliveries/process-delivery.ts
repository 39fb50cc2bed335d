/** Works on one stored webhook: through Probot to its handler, and settled with how that ended. */
import { isReasonCode } from '../../core/intent/reasons.ts';
import { classify, type Classified } from '../../platform/errors/classify.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import {
  findDelivery,
  postponeDelivery,
  settleDelivery,
  startDelivery,
  type DeliveryOutcome,
  type StoredDelivery,
} from '../../prisma/store/deliveries.ts';
import type { HandlerDeps } from '../deps.ts';
import { tellOutcome } from './tell-outcome.ts';
import { failUnsurvived } from './unsurvived.ts';

/** Probot, which types events as a union by name; ours are checked by the handler that takes them. */
interface Receiver {
  receive(event: { id: string; name: string; payload: unknown }): Promise<void>;
}

type Deps = Pick<HandlerDeps, 'database' | 'queues' | 'log' | 'now'> & { probot: Receiver };

/** A delivery that still fails so long after it came here has failed for good: nobody waits for it any more. */
const giveUpAfterMs = 24 * 3_600_000;

/** Work on a delivery that nothing came back from so often has ended its process each time, and would again. */
const maxOpenStarts = 3;

/** Throws what is to be tried again; whatever ends the delivery is written down. */
export async function processDelivery(deps: Deps, guid: string): Promise<void> {
  const { database, now, probot } = deps;
  const delivery = await findDelivery(database.db, guid);
  if (delivery === null) throw new IgnoredError('subject_gone', `There is no delivery ${guid}.`);
  if (delivery.status !== 'received') throw new IgnoredError('settled', `The delivery ${guid} is ${delivery.status}.`);
  if (delivery.openStarts >= maxOpenStarts) return failUnsurvived(deps, delivery);
  await startDelivery(database.db, guid);
  try {
    await receive(probot, delivery);
    await settle(deps, delivery, { status: 'processed' });
  } catch (thrown) {
    const error = handlerError(thrown);
    const outcome = outcomeOf(classify(error), now().getTime() - delivery.storedAt.getTime());
    if (outcome.status === 'again') {
      await postponeDelivery(database.db, guid, outcome);
      throw error;
    }
    await settle(deps, delivery, outcome);
  }
}

/** Its handler may have settled it, with what it wrote. */
async function settle({ database, log, now }: Deps, delivery: StoredDelivery, outcome: DeliveryOutcome): Promise<void> {
  const isSettledHere = await settleDelivery(database.db, delivery.guid, outcome, now());
  if (isSettledHere) tellOutcome(log, delivery, outcome);
}

async function receive(probot: Receiver, { guid, event, payload }: StoredDelivery): Promise<void> {
  await probot.receive({ id: guid, name: event, payload: JSON.parse(payload.toString('utf8')) as unknown });
}

/** Probot wraps what handlers throw. There is one handler per event, so there is one error. */
function handlerError(thrown: unknown): unknown {
  return thrown instanceof AggregateError && thrown.errors.length === 1 ? thrown.errors[0] : thrown;
}

type Outcome = DeliveryOutcome | { status: 'again'; code: string; reason: string };

function outcomeOf(classified: Classified, ageMs: number): Outcome {
  const { message: reason } = classified;
  // The list of codes is closed: the driver's own ones are in the sentence, and in the log.
  const code = isReasonCode(classified.code) ? classified.code : 'internal';
  switch (classified.policy) {
    case 'ignored':
      return { status: 'ignored', code, reason };
    case 'stalled':
      return { status: 'failed', code, reason: classified.hint === null ? reason : `${reason} ${classified.hint}` };
    case 'waiting':
    case 'retry':
      return { status: ageMs > giveUpAfterMs ? 'failed' : 'again', code, reason };
  }
}
