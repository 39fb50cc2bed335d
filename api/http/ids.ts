/** Ids as they stand in paths. What is none leads to the same answer as one that nobody has. */
import Type from 'typebox';
import { ApiError } from '../../platform/errors/api-codes.ts';

const uuid = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

export function isUuid(text: string): boolean {
  return uuid.test(text);
}

export const Uuid = Type.String({ pattern: uuid.source });

export const IdParams = Type.Object({ id: Type.String() });

/** @throws ApiError not_found for what cannot be an id. */
export function idOf(params: { id: string }): string {
  if (!isUuid(params.id)) throw new ApiError('not_found');
  return params.id.toLowerCase();
}
