/** Podman's REST API, as far as the agent uses it: one function per call, each with its deadline. */
import * as answers from './answers.ts';
import { containerCalls } from './container-calls.ts';
import { EngineError } from './errors.ts';
import { imageCalls } from './image-calls.ts';
import { eachLine } from './lines.ts';
import { networkCalls } from './network-calls.ts';
import type { EngineSocket } from './socket.ts';

export type Podman = ReturnType<typeof podman>;

export function podman(socket: EngineSocket) {
  return {
    ping: (): Promise<unknown> => socket.call({ method: 'GET', path: '/_ping', deadlineMs: 2_000 }),

    version: async (): Promise<string> =>
      answers.parseInfo((await socket.call({ method: 'GET', path: '/info' })).body).version.Version,

    ...containerCalls(socket),
    ...imageCalls(socket),
    ...networkCalls(socket),

    /** Events of containers with the label as they happen, until the signal; ends with an error when the engine goes away. */
    events: async (label: string, options: { signal: AbortSignal; onEvent: (event: answers.EngineEvent) => void }) => {
      // The engine's own filter by label wants a value too.
      const query = { stream: true, filters: JSON.stringify({ type: ['container'] }) };
      const answer = await socket.stream({ method: 'GET', path: '/events', query, signal: options.signal });
      await eachLine(answer, (line) => {
        const event = answers.parseEvent(line);
        if (label in event.Actor.Attributes) options.onEvent(event);
      });
      throw new EngineError('engine_unreachable', 'The container engine ended its stream of events.');
    },
  };
}
