/** Reads a webhook's headers and body into the row that the inbox keeps. Strict only on what is used of it (P43). */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { ApiError } from '../../platform/errors/api-codes.ts';
import type { NewDelivery } from '../../prisma/store/deliveries.ts';

export interface WebhookHeaders {
  guid: string;
  event: string;
}

const guidForm = /^[\w-]{1,100}$/;
const nameForm = /^[a-z][a-z0-9_]{0,99}$/;

/** Throws ApiError for a request that is no webhook of GitHub's. */
export function readHeaders(headers: Record<string, string | string[] | undefined>): WebhookHeaders {
  const guid = headers['x-github-delivery'];
  const event = headers['x-github-event'];
  if (typeof guid !== 'string' || !guidForm.test(guid)) throw new ApiError('webhook_header_missing');
  if (typeof event !== 'string' || !nameForm.test(event)) throw new ApiError('webhook_header_missing');
  return { guid, event };
}

/** Throws ApiError when the body is not the JSON of an object. */
export function parsePayload(rawBody: Buffer): object {
  let payload: unknown;
  try {
    payload = JSON.parse(rawBody.toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiError('webhook_payload_invalid', `The body of the webhook is not JSON: ${error.message}.`);
  }
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload;
  throw new ApiError('webhook_payload_invalid', 'The body of the webhook is JSON, but not an object.');
}

const hasId = Compile(Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }));

function idOf(value: unknown): number | null {
  return hasId.Check(value) ? value.id : null;
}

/** `handles` says of `event` and `event.action` whether anything here works on it. */
export function toDelivery(
  headers: WebhookHeaders,
  received: { rawBody: Buffer; payload: object; receivedAt: Date; storedAt: Date },
  handles: ReadonlySet<string>,
): NewDelivery {
  const payload: { action?: unknown; installation?: unknown; repository?: unknown } = received.payload;
  const action = typeof payload.action === 'string' && nameForm.test(payload.action) ? payload.action : null;
  const handled = handles.has(headers.event) || handles.has(`${headers.event}.${action ?? ''}`);
  return {
    guid: headers.guid,
    event: headers.event,
    action,
    installationId: idOf(payload.installation),
    repositoryId: idOf(payload.repository),
    payload: received.rawBody,
    receivedAt: received.receivedAt,
    storedAt: received.storedAt,
    ignored: handled ? null : { code: 'event_unhandled', reason: 'Landfall does nothing on this event.' },
  };
}
