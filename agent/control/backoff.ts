/** How long to wait before another try: doubling, capped, and spread so that a fleet does not come back at once. */

export interface BackoffLimits {
  firstMs: number;
  maxMs: number;
}

/**
 * @param failures Consecutive failures so far, from 1.
 * @param random From 0 to 1: the wait is between half of the full time and all of it.
 */
export function backoffMs(failures: number, limits: BackoffLimits, random: number): number {
  const full = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(30, failures - 1));
  return Math.round(full * (0.5 + 0.5 * random));
}
