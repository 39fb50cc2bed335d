/** Waits for a state, never for a time: asks again and again until there is an answer, or says what was seen last. */
import { setTimeout as delay } from 'node:timers/promises';

const everyMs = 50;

export interface Patience {
  /** Completes "waited for …". */
  what: string;
  withinMs?: number;
  /** Shown when the time is over. */
  lastSeen?: () => unknown;
}

/** Machines that run tests are often busy with others. */
export const patientMs = 90_000;

/** Resolves with the first answer that is not null. */
export async function eventually<T>(ask: () => Promise<T | null> | T | null, patience: Patience): Promise<T> {
  const { what, withinMs = patientMs, lastSeen } = patience;
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) {
      const seen = lastSeen === undefined ? '' : ` Last seen: ${JSON.stringify(lastSeen(), null, 1)}`;
      throw new Error(`Waited ${withinMs / 1_000} s in vain for ${what}.${seen}`);
    }
    await delay(everyMs);
  }
}
