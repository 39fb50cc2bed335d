/** Does something again and again, never twice at once. */
import { messageOf } from '../../platform/errors/classify.ts';
import type { Clock } from './clock.ts';

export interface EveryOptions {
  clock: Clock;
  /** Between the end of one turn and the beginning of the next. */
  milliseconds: number;
  log: (line: string) => void;
}

/** The answer ends it and waits for the turn under way. */
export function every(options: EveryOptions, run: () => Promise<void>): () => Promise<void> {
  let stopped = false;
  let cancel = (): void => undefined;
  let turn: Promise<void> = Promise.resolve();
  const next = (): void => {
    cancel = options.clock.after(options.milliseconds, () => {
      turn = run()
        .catch((error: unknown) => options.log(messageOf(error)))
        .finally(() => {
          if (!stopped) next();
        });
    });
  };
  next();
  return async () => {
    stopped = true;
    cancel();
    await turn;
  };
}
