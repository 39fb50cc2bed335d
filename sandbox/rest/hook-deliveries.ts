/** The App's webhook: its settings, and what was delivered. */
import type { components } from '@octokit/openapi-types';
import { appOperation, type Answer, type Call } from '../http/operation.ts';
import { pageSize } from '../http/paginate.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import { iso } from '../present/time.ts';
import type { Delivery } from '../state/model.ts';
import type { World } from '../world.ts';

type Schemas = components['schemas'];

function outcomeOf({ outcome }: Delivery): { status: string; status_code: number; duration: number } {
  if (outcome.kind === 'pending') return { status: 'pending', status_code: 0, duration: 0 };
  return { status: outcome.status, status_code: outcome.statusCode, duration: outcome.seconds };
}

export function presentDeliveryItem(delivery: Delivery) {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: iso(delivery.deliveredAt),
    redelivery: delivery.redelivery,
    ...outcomeOf(delivery),
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  } satisfies Schemas['hook-delivery-item'];
}

function presentDelivery(delivery: Delivery): Schemas['hook-delivery'] {
  const answered = delivery.outcome.kind === 'answered' ? delivery.outcome : null;
  return {
    ...presentDeliveryItem(delivery),
    url: delivery.url,
    request: {
      headers: { ...delivery.requestHeaders },
      payload: JSON.parse(delivery.payload) as Record<string, unknown>,
    },
    response: { headers: answered === null ? null : { ...answered.headers }, payload: answered?.body ?? null },
  };
}

function matchesStatus(delivery: Delivery, wanted: 'success' | 'failure' | undefined): boolean {
  if (wanted === undefined) return true;
  const { status_code } = outcomeOf(delivery);
  const succeeded = status_code >= 200 && status_code < 400;
  return wanted === 'success' ? succeeded : !succeeded;
}

function nextLink(url: URL, cursor: number): Record<string, string> {
  const target = new URL(url);
  target.searchParams.set('cursor', `v1_${cursor}`);
  return { link: `<${target.href}>; rel="next"` };
}

/** Newest first; the cursor is the id of the last one seen. */
function listDeliveries({ world, query, url }: Call<'apps/list-webhook-deliveries'>): Answer {
  const cursor = query.cursor === undefined ? null : Number(query.cursor.replace(/^v1_/, ''));
  if (cursor !== null && !Number.isInteger(cursor)) throw new Refusal(400, 'Invalid cursor');
  const { status } = query as { status?: 'success' | 'failure' };
  const all = world.deliveries.list().filter((delivery) => matchesStatus(delivery, status));
  const rest = cursor === null ? all : all.filter(({ id }) => id < cursor);
  const page = rest.slice(0, pageSize(query));
  const last = page.at(-1);
  const headers = last !== undefined && rest.length > page.length ? nextLink(url, last.id) : {};
  return { status: 200, body: page.map(presentDeliveryItem), headers };
}

function requireDelivery(world: World, id: number): Delivery {
  const delivery = world.deliveries.list().find((each) => each.id === id);
  if (delivery === undefined) throw notFound();
  return delivery;
}

function getDelivery({ world, params }: Call<'apps/get-webhook-delivery'>): Answer {
  return { status: 200, body: presentDelivery(requireDelivery(world, params.delivery_id)) };
}

function redeliver({ world, params }: Call<'apps/redeliver-webhook-delivery'>): Answer {
  world.deliveries.redeliver(requireDelivery(world, params.delivery_id).id);
  return { status: 202, body: {} };
}

function webhookConfig(world: World): Schemas['webhook-config'] {
  return {
    content_type: 'json',
    insecure_ssl: '0',
    secret: '********',
    ...(world.deliveries.url === null ? {} : { url: world.deliveries.url }),
  };
}

function updateConfig({ world, body }: Call<'apps/update-webhook-config-for-app'>): Answer {
  if (body.url !== undefined) world.deliveries.url = body.url;
  return { status: 200, body: webhookConfig(world) };
}

export const hookDeliveryOperations = [
  appOperation('apps/get-webhook-config-for-app', ({ world }) => ({ status: 200, body: webhookConfig(world) })),
  appOperation('apps/update-webhook-config-for-app', updateConfig),
  appOperation('apps/list-webhook-deliveries', listDeliveries),
  appOperation('apps/get-webhook-delivery', getDelivery),
  appOperation('apps/redeliver-webhook-delivery', redeliver),
];
