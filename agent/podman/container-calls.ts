/** The calls of the engine's API that are about containers. */
import * as answers from './answers.ts';
import type { ContainerCreate } from './container-create.ts';
import { ifThere } from '../../platform/files/if-there.ts';
import { DeadlineExceeded } from '../process/deadline.ts';
import { EngineError, isEngineStatus, unlessAbsent } from './errors.ts';
import type { EngineSocket } from './socket.ts';

export function containerCalls(socket: EngineSocket) {
  const inspect = async (id: string): Promise<answers.InspectedContainer | null> => {
    const answer = await unlessAbsent(socket.call({ method: 'GET', path: `${pathOf(id)}/json` }));
    return answer === null ? null : answers.parseInspected(answer.body);
  };
  const runs = async (id: string): Promise<boolean> =>
    ['running', 'stopping'].includes((await inspect(id))?.State.Status ?? 'gone');
  return {
    inspect,

    /** Every container of the engine that carries the label, in whatever state. */
    list: async (label: string): Promise<answers.ListedContainer[]> => {
      const query = { all: true, filters: JSON.stringify({ label: [label] }) };
      return answers.parseContainers((await socket.call({ method: 'GET', path: '/containers/json', query })).body);
    },

    create: async (spec: Partial<ContainerCreate>, signal?: AbortSignal): Promise<string> => {
      const request = { method: 'POST', path: '/containers/create', body: spec, deadlineMs: 60_000, signal } as const;
      return answers.parseCreated((await socket.call(request)).body).Id;
    },

    /** Answers the same whether it starts now or runs already. */
    start: async (id: string, signal?: AbortSignal): Promise<void> => {
      await socket.call({ method: 'POST', path: `${pathOf(id)}/start`, deadlineMs: 60_000, signal });
    },

    /** Sends its first process a signal, by name or number. False: it does not run. */
    kill: async (id: string, name: string | number, signal: AbortSignal): Promise<boolean> => {
      try {
        await socket.call({ method: 'POST', path: `${pathOf(id)}/kill`, query: { signal: name }, signal });
        return true;
      } catch (error) {
        // By its status alone the refusal could be anything.
        if (error instanceof EngineError && error.code === 'engine_refused' && !(await runs(id))) return false;
        throw error;
      }
    },

    /** Resolves when it runs no more, and after so long in any case. */
    ended: async (id: string, withinMs: number, signal: AbortSignal): Promise<void> => {
      const query = { condition: 'stopped', interval: '100ms' };
      const request = { method: 'POST', path: `${pathOf(id)}/wait`, query, deadlineMs: withinMs, signal } as const;
      await ifThere(
        socket.call(request),
        (error) => isEngineStatus(error, 404) || (error instanceof DeadlineExceeded && !signal.aborted),
      );
    },

    /** Kills it when it runs, and removes it with its anonymous volumes. */
    remove: async (id: string, signal?: AbortSignal): Promise<void> => {
      const query = { force: true, v: true, timeout: 0 };
      const answer = await unlessAbsent(
        socket.call({ method: 'DELETE', path: pathOf(id), query, deadlineMs: 60_000, signal }),
      );
      if (answer !== null) refuseFailedRemoval(answer.body);
    },

    /** Runs a command inside and gives its exit code. */
    exec: async (id: string, command: readonly string[], signal: AbortSignal): Promise<number> => {
      const body = { Cmd: command, AttachStdout: true, AttachStderr: true };
      const created = await socket.call({ method: 'POST', path: `${pathOf(id)}/exec`, body, signal });
      const session = `/exec/${answers.parseCreated(created.body).Id}`;
      await socket.call({
        method: 'POST',
        path: `${session}/start`,
        body: { Detach: false },
        deadlineMs: 60_000,
        signal,
      });
      return answers.parseExec((await socket.call({ method: 'GET', path: `${session}/json`, signal })).body).ExitCode;
    },
  };
}

function pathOf(id: string): string {
  return `/containers/${encodeURIComponent(id)}`;
}

/** The engine answers well and names in the body what it could not remove. */
function refuseFailedRemoval(body: string): void {
  if (body.trim() === '') return;
  const failed = answers.parseRemoval(body).find(({ Err }) => Err !== undefined && Err !== null);
  if (failed === undefined) return;
  const why = typeof failed.Err === 'string' ? failed.Err : JSON.stringify(failed.Err);
  throw new EngineError('engine_refused', `Removing ${failed.Id}: ${why}`, { status: 500 });
}
