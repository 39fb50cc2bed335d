/** The calls of the engine's API that are about containers. */
import * as answers from './answers.ts';
import type { ContainerCreate } from './container-create.ts';
import { EngineError, unlessAbsent } from './errors.ts';
import type { EngineSocket } from './socket.ts';

export function containerCalls(socket: EngineSocket) {
  return {
    /** Every container of the engine that carries the label, in whatever state. */
    list: async (label: string): Promise<answers.ListedContainer[]> => {
      const query = { all: true, filters: JSON.stringify({ label: [label] }) };
      return answers.parseContainers((await socket.call({ method: 'GET', path: '/containers/json', query })).body);
    },

    inspect: async (id: string): Promise<answers.InspectedContainer | null> => {
      const answer = await unlessAbsent(socket.call({ method: 'GET', path: `${pathOf(id)}/json` }));
      return answer === null ? null : answers.parseInspected(answer.body);
    },

    create: async (spec: Partial<ContainerCreate>, signal?: AbortSignal): Promise<string> => {
      const request = { method: 'POST', path: '/containers/create', body: spec, deadlineMs: 60_000, signal } as const;
      return answers.parseCreated((await socket.call(request)).body).Id;
    },

    /** Answers the same whether it starts now or runs already. */
    start: async (id: string, signal?: AbortSignal): Promise<void> => {
      await socket.call({ method: 'POST', path: `${pathOf(id)}/start`, deadlineMs: 60_000, signal });
    },

    /** SIGTERM, then SIGKILL after the grace period, which the engine counts in whole seconds. */
    stop: async (id: string, graceMs: number, signal?: AbortSignal): Promise<void> => {
      const timeout = Math.ceil(graceMs / 1_000);
      const deadlineMs = timeout * 1_000 + 15_000;
      await unlessAbsent(
        socket.call({ method: 'POST', path: `${pathOf(id)}/stop`, query: { timeout }, deadlineMs, signal }),
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
