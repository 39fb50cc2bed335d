/** How far GitHub's answers may lag behind its deliveries, and how long an answer that contradicts one is doubted. */
import { reasons } from '../intent/reasons.ts';

export type Wait = { kind: 'wait'; afterMs: number; code: 'github_behind'; reason: string };

const lagMs = 10_000;
const askAgainMs = 2_000;

/** Null when an answer counts, whatever the delivery says. @param ageMs Since the delivery was sent. */
export function waitForGithub(ageMs: number): Wait | null {
  if (ageMs >= lagMs) return null;
  return { kind: 'wait', afterMs: askAgainMs, code: 'github_behind', reason: reasons.github_behind.means };
}
