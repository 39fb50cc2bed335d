/** Decides what becomes of a job whose handler threw. */
import { classify } from '../errors/classify.ts';

export type JobOutcome =
  /** Ends at once; the sweep asks again while the rows still call for it. */
  | { kind: 'fail'; code: string; message: string; hint: string | null }
  /** Runs again at that time, without counting as a failure. */
  | { kind: 'postpone'; code: string; message: string; until: Date }
  /** Ends well: there was nothing to do. */
  | { kind: 'complete'; code: string; message: string }
  | { kind: 'retry'; code: string; message: string; delayMs: number };

/** Attempts at a job that fails for reasons nobody planned for: some 15 minutes of them. */
export const maxAttempts = 20;

export function outcomeOf(error: unknown, attempt: number): JobOutcome {
  const classified = classify(error);
  const { code, message } = classified;
  switch (classified.policy) {
    case 'stalled':
      return { kind: 'fail', code, message, hint: classified.hint };
    case 'waiting':
      return { kind: 'postpone', code, message, until: classified.until };
    case 'ignored':
      return { kind: 'complete', code, message };
    case 'retry':
      return { kind: 'retry', code, message, delayMs: retryDelayMs(attempt) };
  }
}

/** Doubles from 100 ms up to a minute. @param attempt From 1. */
export function retryDelayMs(attempt: number): number {
  return Math.min(60_000, 100 * 2 ** (attempt - 1));
}
