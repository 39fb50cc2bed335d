/** Fetches webhooks that GitHub sent and that never arrived: it does not send them again by itself (P40). */
import type { GithubClient } from '../../platform/github/client.ts';
import { fetchDeliveryPayload, listDeliveries, type GithubDelivery } from '../../platform/github/deliveries.ts';
import { processDelivery } from '../../platform/queue/jobs.ts';
import { insertDeliveries, unknownGuids, type NewDelivery } from '../../prisma/store/deliveries.ts';
import type { BotDeps } from '../deps.ts';
import { toDelivery } from '../intake/envelope.ts';

export interface MissedDeps extends Pick<BotDeps, 'database' | 'log' | 'now'> {
  queues: Pick<BotDeps['queues'], 'enqueue'>;
  github: { asApp(): GithubClient };
  /** `event` and `event.action` names that are worked on. */
  handles: ReadonlySet<string>;
}

/** GitHub keeps deliveries for three days. */
const keptMs = 3 * 86_400_000;

/** Deliveries younger than this may still be on their way. */
const settlingMs = 30_000;

/** How far one look reaches into what the look before it has seen. */
const overlapMs = 15 * 60_000;

/** The first look reaches as far back as GitHub remembers, later ones to the last that ended well. */
export function missedDeliveries(deps: MissedDeps): () => Promise<void> {
  let seenUntil: Date | null = null;
  return async () => {
    const startedAt = deps.now();
    const since = new Date(seenUntil === null ? startedAt.getTime() - keptMs : seenUntil.getTime() - overlapMs);
    const fetched = await fetchMissed(deps, since, new Date(startedAt.getTime() - settlingMs));
    if (fetched > 0) deps.log.info({ deliveries: fetched }, 'fetched deliveries that had not arrived');
    seenUntil = startedAt;
  };
}

async function fetchMissed(deps: MissedDeps, since: Date, until: Date): Promise<number> {
  const handledNames = new Set([...deps.handles].map((name) => name.split('.')[0]));
  let fetched = 0;
  let cursor: string | null = null;
  do {
    const page = await listDeliveries(deps.github.asApp(), cursor);
    const within = page.deliveries.filter(({ deliveredAt }) => deliveredAt >= since);
    const due = within.filter(({ event, deliveredAt }) => handledNames.has(event) && deliveredAt <= until);
    fetched += await storeUnknown(deps, due);
    cursor = within.length < page.deliveries.length ? null : page.cursor;
  } while (cursor !== null);
  return fetched;
}

async function storeUnknown(deps: MissedDeps, listed: GithubDelivery[]): Promise<number> {
  const unknown = new Set(
    await unknownGuids(
      deps.database.db,
      listed.map(({ guid }) => guid),
    ),
  );
  // A redelivery has the GUID of the first: one of them is enough.
  const once = new Map(listed.filter(({ guid }) => unknown.has(guid)).map((delivery) => [delivery.guid, delivery]));
  const found: NewDelivery[] = [];
  for (const delivery of once.values()) {
    const stored = await fetchOne(deps, delivery);
    if (stored !== null) found.push(stored);
  }
  if (found.length === 0) return 0;
  const fresh = await insertDeliveries(deps.database.pool, found.reverse());
  for (const { guid, ignored } of found) {
    if (ignored === null && fresh.has(guid)) await deps.queues.enqueue(processDelivery, { guid });
  }
  return fresh.size;
}

/** The bytes are ours, not those that were signed: it is the app's own key that vouches for them. */
async function fetchOne(deps: MissedDeps, delivery: GithubDelivery): Promise<NewDelivery | null> {
  const payload = await fetchDeliveryPayload(deps.github.asApp(), delivery.id);
  if (payload === null) return null;
  const rawBody = Buffer.from(JSON.stringify(payload, exactNumbers));
  // It counts as arrived when GitHub tried, so that the ledger keeps the order of pushes: at the end of the second that GitHub names.
  const receivedAt = new Date(delivery.deliveredAt.getTime() + 999);
  return toDelivery(delivery, { rawBody, payload, receivedAt, storedAt: deps.now() }, deps.handles);
}

/** Octokit reads numbers beyond 2^53 as bigint, which JSON does not know; none that is used is as large. */
function exactNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
