/** How often, and how long after each other, a write to GitHub is tried. */

const firstMs = 1_000;
const longestMs = 10 * 60_000;

/** Some five hours of attempts: outages of GitHub end before. */
export const maxAttempts = 40;

/** Doubles from one second up to ten minutes. `attempt` counts from 1. */
export function retryDelayMs(attempt: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), longestMs);
}
