/** Reads the SQLSTATE out of what Prisma, its driver adapter and pg throw. */
import { field } from '../platform/errors/field.ts';

const serializationFailure = '40001';
const deadlock = '40P01';
/** Prisma's own code for both of them. */
const transactionWriteConflict = 'P2034';

const uniqueViolation = '23505';

/** PostgreSQL refused for two writers that met: the same transaction can succeed when it runs again. */
export function isWriteConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === serializationFailure || state === deadlock || field(error, 'code') === transactionWriteConflict;
}

/** A row with this key exists already. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === uniqueViolation || field(error, 'code') === 'P2002';
}

/** The five characters of PostgreSQL, from wherever the layers between left them; null when there are none. */
export function sqlState(error: unknown): string | null {
  const adapterError = field(field(error, 'meta'), 'driverAdapterError') ?? error;
  const candidates = [field(field(adapterError, 'cause'), 'originalCode'), field(error, 'code')];
  // P1… to P6… are Prisma's own codes, which look alike.
  return (
    candidates.find((code): code is string => typeof code === 'string' && /^(?!P[1-9])[0-9A-Z]{5}$/.test(code)) ?? null
  );
}
