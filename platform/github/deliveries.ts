/** The webhook deliveries of the app, as GitHub keeps them for three days. */
import Type, { type Static } from 'typebox';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

/** Beyond what a number holds exactly, Octokit gives a bigint. */
const DeliverySummary = Type.Object({
  id: Type.Union([Type.Integer(), Type.BigInt()]),
  guid: Type.String(),
  delivered_at: Type.String(),
  event: Type.String(),
  action: Type.Union([Type.String(), Type.Null()]),
});
const DeliveryPage = Type.Array(DeliverySummary);

const DeliveryAnswer = Type.Object({
  request: Type.Object({ payload: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]) }),
});

export interface GithubDelivery {
  /** Of this attempt; a redelivery has another one, and the same GUID. */
  id: string;
  guid: string;
  deliveredAt: Date;
  event: string;
}

export interface GithubDeliveryPage {
  deliveries: GithubDelivery[];
  /** Of the page with older ones; null on the last. */
  cursor: string | null;
}

/** One page of deliveries, newest first. Only the app itself may ask. */
export async function listDeliveries(app: GithubClient, cursor: string | null): Promise<GithubDeliveryPage> {
  const response = await app.request('GET /app/hook/deliveries', {
    per_page: 100,
    ...(cursor === null ? {} : { cursor }),
  });
  return {
    deliveries: parseAnswer(DeliveryPage, response).map(summary),
    cursor: nextCursor(String(response.headers['link'] ?? '')),
  };
}

function summary(delivery: Static<typeof DeliverySummary>): GithubDelivery {
  return {
    id: String(delivery.id),
    guid: delivery.guid,
    deliveredAt: new Date(delivery.delivered_at),
    event: delivery.event,
  };
}

/** Of a `Link` header: `<https://…?cursor=…>; rel="next"`. */
function nextCursor(link: string): string | null {
  const next = /<([^>]+)>;\s*rel="next"/.exec(link)?.[1];
  return next === undefined ? null : new URL(next).searchParams.get('cursor');
}

/** The payload of a delivery, null when GitHub no longer has it. Authenticated by coming from the API: it carries no signature. */
export async function fetchDeliveryPayload(app: GithubClient, id: string): Promise<Record<string, unknown> | null> {
  const response = await requestOrNull(app, 'GET /app/hook/deliveries/{delivery_id}', { delivery_id: id });
  return response === null ? null : parseAnswer(DeliveryAnswer, response).request.payload;
}
