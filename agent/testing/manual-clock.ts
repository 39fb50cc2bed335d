/** Time by hand: nothing happens until a test moves it. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../loop/clock.ts';

export interface ManualClock extends Clock {
  /** Runs every timer that is due by then, in order, and lets what it started settle. */
  readonly advance: (milliseconds: number) => Promise<void>;
  /** Milliseconds until each timer that is armed, ascending. */
  readonly armed: () => number[];
}

/** Lets promises that are ready go on, however many follow each other. */
export async function settle(): Promise<void> {
  await setImmediate();
}

export function manualClock(start = new Date('2030-01-01T00:00:00.000Z')): ManualClock {
  let now = start.getTime();
  const timers = new Set<{ at: number; run: () => void }>();
  const nextDue = (until: number) => [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => new Date(now),
    after: (milliseconds, run) => {
      const timer = { at: now + Math.max(0, milliseconds), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: async (milliseconds) => {
      const until = now + milliseconds;
      await settle();
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        timers.delete(due);
        now = Math.max(now, due.at);
        due.run();
        await settle();
      }
      now = until;
    },
    armed: () => [...timers].map(({ at }) => at - now).sort((a, b) => a - b),
  };
}
