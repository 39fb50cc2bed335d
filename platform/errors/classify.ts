/** The one mapping from an error to what is done about it: retries, logs and the words on the PR follow from here. */
import { IgnoredError, InputError, StalledError, WaitingError } from './errors.ts';

export type Classified =
  | { policy: 'stalled'; code: string; message: string; hint: string | null }
  | { policy: 'waiting'; code: string; message: string; until: Date }
  | { policy: 'ignored'; code: string; message: string }
  | { policy: 'retry'; code: string; message: string };

const unexpected = 'unexpected';

export function classify(error: unknown): Classified {
  if (error instanceof StalledError) {
    return { policy: 'stalled', code: error.code, message: error.message, hint: error.hint };
  }
  if (error instanceof InputError) return { policy: 'stalled', code: error.code, message: error.message, hint: null };
  if (error instanceof WaitingError) {
    return { policy: 'waiting', code: error.code, message: error.message, until: error.until };
  }
  if (error instanceof IgnoredError) return { policy: 'ignored', code: error.code, message: error.message };
  return { policy: 'retry', code: codeOf(error), message: messageOf(error) };
}

/** The error's own code (`ECONNREFUSED`, `P2034`, `57P01`), or `unexpected`. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return unexpected;
  return typeof error.code === 'string' || typeof error.code === 'number' ? String(error.code) : unexpected;
}

export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
