/** How long to wait before a write to GitHub is tried again. */

const firstMs = 1_000;
const longestMs = 10 * 60_000;

/** Doubles from one second up to ten minutes. `attempt` counts from 1. */
export function retryDelayMs(attempt: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), longestMs);
}
