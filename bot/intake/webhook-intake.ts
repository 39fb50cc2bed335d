/** `POST /webhooks/github`: verified over its raw bytes, stored by its GUID, answered, and only then worked on (P40). */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { ApiError, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { groupCalls } from '../../platform/group/group-calls.ts';
import type { NewDelivery } from '../../prisma/store/deliveries.ts';
import { bodyReceiver, type BodyLimits } from './body.ts';
import { parsePayload, readHeaders, toDelivery } from './envelope.ts';

export interface IntakeDeps {
  verify(rawBody: Buffer, signature: string): boolean;
  /** Stores deliveries durably and gives the GUIDs that were new. */
  store(deliveries: readonly NewDelivery[]): Promise<Set<string>>;
  /** Wakes the work on stored deliveries. May fail: a sweep finds what nobody woke. */
  wake(guids: string[]): Promise<void>;
  /** `event` and `event.action` names that are worked on. */
  handles: ReadonlySet<string>;
  log: Logger;
  now(): Date;
}

/** GitHub sends no larger payload. */
export const maxWebhookBytes = 25 * 1024 * 1024;

/** GitHub waits ten seconds for an answer. */
const usualLimits: BodyLimits = { bodyBytes: maxWebhookBytes, allBytes: 64 * 1024 * 1024, withinMs: 10_000 };

export function webhookIntake(deps: IntakeDeps, limits = usualLimits): (fastify: FastifyInstance) => Promise<void> {
  const receiveBody = bodyReceiver(limits);
  const store = groupCalls((deliveries: readonly NewDelivery[]) => storeGroup(deps, deliveries), {
    concurrency: 2,
    maxItems: 500,
    size: { max: maxWebhookBytes, of: ({ payload }) => payload.length },
  });

  const receive = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const rawBody = request.body;
    // Nothing was announced, so nothing was parsed.
    if (!Buffer.isBuffer(rawBody)) throw new ApiError('webhook_payload_invalid', 'The webhook has no body.');
    const headers = readHeaders(request.headers);
    if (!deps.verify(rawBody, signatureOf(request))) throw new ApiError('webhook_signature_invalid');
    const payload = parsePayload(rawBody);
    const now = deps.now();
    const received = { rawBody, payload, receivedAt: now, storedAt: now };
    const fresh = await store(toDelivery(headers, received, deps.handles));
    return reply.code(202).send({ status: fresh ? 'accepted' : 'duplicate' });
  };

  return async (fastify) => {
    await fastify.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('application/json', (request, payload, parsed) => {
        receiveBody(payload, Number(request.headers['content-length']), parsed);
      });
      scope.setErrorHandler((error: FastifyError, _request, reply) => answerError(error, reply, deps.log));
      scope.post(
        '/webhooks/github',
        {
          logLevel: 'warn',
          // An unsigned request is refused before a byte of its body is read (P41).
          onRequest: (request, _reply, next) => {
            signatureOf(request);
            next();
          },
        },
        receive,
      );
      done();
    });
  };
}

/** Gives for each delivery whether it was new. */
async function storeGroup(deps: IntakeDeps, deliveries: readonly NewDelivery[]): Promise<boolean[]> {
  const fresh = await deps.store(deliveries);
  const toWake = deliveries.filter(({ guid, ignored }) => ignored === null && fresh.has(guid)).map(({ guid }) => guid);
  if (toWake.length > 0) {
    deps.wake(toWake).catch((error: unknown) => {
      deps.log.warn(
        { err: error, deliveries: toWake.length },
        'deliveries are stored, but nobody was woken: the sweep will',
      );
    });
  }
  return deliveries.map(({ guid }) => fresh.has(guid));
}

function signatureOf(request: FastifyRequest): string {
  const signature = request.headers['x-hub-signature-256'];
  if (typeof signature !== 'string') throw new ApiError('webhook_signature_missing');
  return signature;
}

/** Fastify's own refusals, in our words. */
const refusals: Record<string, ApiErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
};

const hints: Partial<Record<ApiErrorCode, string>> = {
  payload_too_large: 'GitHub sends at most 25 MB.',
  unsupported_media_type: 'Set the content type of the webhook to application/json.',
  webhook_signature_missing: 'Set the same secret in the settings of the GitHub App and here.',
  webhook_signature_invalid: 'Set the same secret in the settings of the GitHub App and here.',
};

/** Nobody who sends webhooks waits for it; what GitHub was refused is fetched from it (bot/deliveries). */
const retryAfterS = 10;

function answerError(error: FastifyError | ApiError, reply: FastifyReply, log: Logger): FastifyReply {
  const known = error instanceof ApiError ? error : refusalOf(error);
  if (known === null) log.error({ err: error }, 'a webhook could not be stored');
  const { status, code, message } =
    known ?? new ApiError('unavailable', 'The webhook could not be stored; send it again.');
  if (status === 503) reply.header('retry-after', String(retryAfterS));
  return reply.code(status).send({ error: { code, message, hint: hints[code] ?? null } });
}

function refusalOf(error: FastifyError): ApiError | null {
  const code = refusals[error.code];
  return code === undefined ? null : new ApiError(code);
}
