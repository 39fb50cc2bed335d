/** What every route is made with: schemas of core/contract that check, type and describe it. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TSchema } from 'typebox';
import { ErrorAnswer } from '../../core/contract/error.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** A route that answers 200 with this, and refuses in the one shape of all errors. */
export function answers<T extends TSchema>(
  schema: T,
): { 200: T; '4xx': typeof ErrorAnswer; '5xx': typeof ErrorAnswer } {
  return { 200: schema, '4xx': ErrorAnswer, '5xx': ErrorAnswer };
}
