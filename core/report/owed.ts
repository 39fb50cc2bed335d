/** Decides which writes to GitHub an intent owes now, at most six in its whole life. */
import type { IntentReport } from './view.ts';
import type { Write } from './writes.ts';

/** What a deploy may cost GitHub. */
export const maxWritesPerDeploy = 6;

/** New writes, in the order they are to be sent; those in `intent.owed` are not repeated. */
export function owedWrites(_intent: IntentReport, _now: Date): Write[] {
  throw new Error('not written yet');
}
