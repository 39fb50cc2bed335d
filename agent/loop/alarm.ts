/** Wakes the loop. A ring while nobody waits is kept, so nothing that happens during a pass is missed (P09). */
import type { Clock } from './clock.ts';

export type WakeReason = 'expected_state' | 'engine_event' | 'removal' | 'health' | 'work' | 'timer' | 'stop';

export interface Alarm {
  readonly ring: (reason: WakeReason) => void;
  /** The reasons since the last wait; at once when there are any, at `until` at the latest. */
  readonly wait: (until: Date) => Promise<WakeReason[]>;
}

export function alarm(clock: Clock): Alarm {
  let rung = new Set<WakeReason>();
  let wake: (() => void) | null = null;
  return {
    ring: (reason) => {
      rung.add(reason);
      wake?.();
    },
    wait: async (until) => {
      if (rung.size === 0) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(until.getTime() - clock.now().getTime(), resolve);
          wake = () => {
            cancel();
            resolve();
          };
        });
        wake = null;
      }
      const reasons = rung.size === 0 ? (['timer'] as const) : rung;
      rung = new Set();
      return [...reasons];
    },
  };
}
