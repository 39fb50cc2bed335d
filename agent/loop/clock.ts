/** Time as an argument: real here, by hand in tests. */

export interface Clock {
  readonly now: () => Date;
  /** Runs once after so many milliseconds; the answer cancels it. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

/** The longest wait a timer takes: a longer one fires early, and whoever waits looks again. */
const longestTimerMs = 2_147_483_647;

export const systemClock: Clock = {
  now: () => new Date(),
  after: (milliseconds, run) => {
    const timer = setTimeout(run, Math.min(longestTimerMs, Math.max(0, milliseconds)));
    return () => {
      clearTimeout(timer);
    };
  },
};
