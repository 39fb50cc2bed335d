/** Follows the container engine's events, so that a crash wakes the loop at once, and comes back when the engine does. */
import { messageOf } from '../../platform/errors/classify.ts';
import { backoffMs } from '../control/backoff.ts';
import type { EngineEvent } from '../podman/answers.ts';
import type { Clock } from './clock.ts';

export interface EventsOptions {
  /** Runs until the engine ends the stream, and rejects then. */
  follow: (options: { signal: AbortSignal; onEvent: (event: EngineEvent) => void }) => Promise<never>;
  onEvent: () => void;
  clock: Clock;
  random: () => number;
  log: (line: string) => void;
}

/** Events after which something is different on the node; what the agent does itself it looks at anyway. */
const telling = new Set(['died', 'oom', 'remove', 'pause', 'unpause', 'cleanup']);
const backoff = { firstMs: 100, maxMs: 5_000 };

/** The answer ends it. */
export function followEvents(options: EventsOptions): () => void {
  const abort = new AbortController();
  let failures = 0;
  const follow = (): void => {
    const onEvent = ({ Action }: EngineEvent): void => {
      failures = 0;
      if (telling.has(Action)) options.onEvent();
    };
    options.follow({ signal: abort.signal, onEvent }).catch((error: unknown) => {
      if (abort.signal.aborted) return;
      failures += 1;
      if (failures === 1) options.log(messageOf(error));
      options.clock.after(backoffMs(failures, backoff, options.random()), () => {
        // What happened meanwhile was not heard.
        options.onEvent();
        if (!abort.signal.aborted) follow();
      });
    });
  };
  follow();
  return () => {
    abort.abort();
  };
}
