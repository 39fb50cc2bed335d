/** The one place that turns what went wrong into an answer: `{ error: { code, message, hint } }`, nothing internal. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorAnswer } from '../../core/contract/error.ts';
import { ApiError, apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { codeOf } from '../../platform/errors/classify.ts';

export interface Refusal {
  status: number;
  answer: ErrorAnswer;
  /** Worth a look into the server's log. */
  ours: boolean;
}

/** Fastify's own refusals, by their codes. */
const fastifyCodes: Record<string, ApiErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
  FST_ERR_NOT_FOUND: 'not_found',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
};

/** The database is away, starting or full of connections: the same request succeeds later. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  'P1001',
  'P2024',
]);

export function refusalOf(error: unknown): Refusal {
  if (error instanceof ApiError) return refusal(error.code, error.message, null);
  if (isValidation(error)) return refusal('invalid_request', apiErrors.invalid_request.message, fieldHint(error));
  const code = fastifyCodes[codeOf(error)];
  if (code !== undefined) return refusal(code, apiErrors[code].message, null);
  const failed = unreachable.has(codeOf(error)) ? 'unavailable' : 'internal';
  return refusal(failed, apiErrors[failed].message, null);
}

function refusal(code: ApiErrorCode, message: string, hint: string | null): Refusal {
  const { status } = apiErrors[code];
  return { status, answer: { error: { code, message, hint } }, ours: code === 'internal' || code === 'unavailable' };
}

type ValidationError = FastifyError & Required<Pick<FastifyError, 'validation'>>;

function isValidation(error: unknown): error is ValidationError {
  return error instanceof Error && 'validation' in error && Array.isArray(error.validation);
}

/** `body/containers/0/health must be equal to one of the allowed values` */
function fieldHint(error: ValidationError): string {
  const [first] = error.validation;
  const missing = first?.params['missingProperty'];
  const path = `${error.validationContext ?? 'request'}${first?.instancePath ?? ''}`;
  return typeof missing === 'string' ? `${path}/${missing} is missing` : `${path} ${first?.message ?? 'is not valid'}`;
}

export async function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { status, answer, ours } = refusalOf(error);
  if (ours) request.log.error({ err: error, route: request.routeOptions.url }, 'a request failed');
  await reply.code(status).header('cache-control', 'no-store').send(answer);
}

export async function answerNotFound(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { status, answer } = refusal('not_found', apiErrors.not_found.message, null);
  await reply.code(status).header('cache-control', 'no-store').send(answer);
}
