/** Keeps a program running: started again after a pause whenever it ends by itself. */
import type { Clock } from '../loop/clock.ts';
import type { Child, Exit } from './child.ts';

export interface SuperviseOptions {
  what: string;
  start: () => Child;
  clock: Clock;
  pauseMs: number;
  log: (line: string) => void;
}

/** The same as one child, over all its lives. */
export interface Supervised {
  readonly procRoot: () => string;
  readonly stop: (graceMs: number) => Promise<void>;
}

/** @param first The child as it was started first, and known to be well. */
export function supervise(first: Child, options: SuperviseOptions): Supervised {
  let child = first;
  let stopping = false;
  let cancel = (): void => undefined;
  const watch = (): void => {
    void child.exited.then((exit) => {
      if (stopping) return;
      options.log(`${options.what} ended (${spoken(exit)}) and is started again.`);
      cancel = options.clock.after(options.pauseMs, () => {
        child = options.start();
        watch();
      });
    });
  };
  watch();
  return {
    procRoot: () => child.procRoot(),
    stop: async (graceMs) => {
      stopping = true;
      cancel();
      await child.stop(graceMs);
    },
  };
}

function spoken(exit: Exit): string {
  switch (exit.kind) {
    case 'code':
      return `exit code ${exit.code}`;
    case 'signal':
      return exit.signal;
    case 'unstartable':
      return exit.error.message;
  }
}
