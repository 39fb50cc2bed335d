/** Podman's REST API, as far as the agent uses it: one function per call, each with its deadline. */
import type { IncomingMessage } from 'node:http';
import * as answers from './answers.ts';
import { EngineError, isEngineStatus } from './errors.ts';
import { eachLine } from './lines.ts';
import type { ContainerCreate } from './container-create.ts';
import type { EngineSocket } from './socket.ts';

export interface RegistryCredentials {
  username: string;
  password: string;
}

export interface PullOptions {
  /** `registry/repository@sha256:…` */
  image: string;
  /** Plain HTTP, or a certificate nobody signed, is accepted. */
  insecure: boolean;
  credentials: RegistryCredentials | null;
  signal: AbortSignal;
}

export interface NetworkSpec {
  name: string;
  bridge: string;
  mtu: number;
  subnet: string;
  gateway: string;
}

export type Podman = ReturnType<typeof podman>;

export function podman(socket: EngineSocket) {
  const container = (id: string): string => `/containers/${encodeURIComponent(id)}`;
  return {
    ping: (): Promise<unknown> => socket.call({ method: 'GET', path: '/_ping', deadlineMs: 2_000 }),

    version: async (): Promise<string> =>
      answers.parseInfo((await socket.call({ method: 'GET', path: '/info' })).body).version.Version,

    /** Every container of the engine that carries the label, in whatever state. */
    list: async (label: string): Promise<answers.ListedContainer[]> => {
      const query = { all: true, filters: JSON.stringify({ label: [label] }) };
      return answers.parseContainers((await socket.call({ method: 'GET', path: '/containers/json', query })).body);
    },

    inspect: async (id: string): Promise<answers.InspectedContainer | null> => {
      try {
        return answers.parseInspected((await socket.call({ method: 'GET', path: `${container(id)}/json` })).body);
      } catch (error) {
        if (isEngineStatus(error, 404)) return null;
        throw error;
      }
    },

    create: async (spec: Partial<ContainerCreate>, signal?: AbortSignal): Promise<string> => {
      const request = { method: 'POST', path: '/containers/create', body: spec, deadlineMs: 60_000, signal } as const;
      return answers.parseCreated((await socket.call(request)).body).Id;
    },

    /** Answers the same whether it starts now or runs already. */
    start: async (id: string, signal?: AbortSignal): Promise<void> => {
      await socket.call({ method: 'POST', path: `${container(id)}/start`, deadlineMs: 60_000, signal });
    },

    /** SIGTERM, then SIGKILL after the grace period, which the engine counts in whole seconds. */
    stop: async (id: string, graceMs: number, signal?: AbortSignal): Promise<void> => {
      const timeout = Math.ceil(graceMs / 1_000);
      const deadlineMs = timeout * 1_000 + 15_000;
      await absentIsFine(
        socket.call({ method: 'POST', path: `${container(id)}/stop`, query: { timeout }, deadlineMs, signal }),
      );
    },

    /** Kills it when it runs, and removes it with its anonymous volumes. */
    remove: async (id: string, signal?: AbortSignal): Promise<void> => {
      const query = { force: true, v: true, timeout: 0 };
      const answer = await absentIsFine(
        socket.call({ method: 'DELETE', path: container(id), query, deadlineMs: 60_000, signal }),
      );
      if (answer === null || answer.body.trim() === '') return;
      const failed = answers.parseRemoval(answer.body).find(({ Err }) => Err !== undefined && Err !== null);
      if (failed !== undefined) {
        const why = typeof failed.Err === 'string' ? failed.Err : JSON.stringify(failed.Err);
        throw new EngineError('engine_refused', `Removing ${failed.Id}: ${why}`, { status: 500 });
      }
    },

    /** Runs a command inside and gives its exit code. */
    exec: async (id: string, command: readonly string[], signal: AbortSignal): Promise<number> => {
      const body = { Cmd: command, AttachStdout: true, AttachStderr: true };
      const created = await socket.call({ method: 'POST', path: `${container(id)}/exec`, body, signal });
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

    imageExists: async (image: string): Promise<boolean> => {
      const call = socket.call({ method: 'GET', path: `/images/${encodeURIComponent(image)}/exists` });
      return (await absentIsFine(call)) !== null;
    },

    images: async (): Promise<answers.ListedImage[]> =>
      answers.parseImages((await socket.call({ method: 'GET', path: '/images/json' })).body),

    /** Takes away this name; the image goes with its last one. Refused while a container uses it. */
    removeImage: async (name: string, signal?: AbortSignal): Promise<void> => {
      const path = `/images/${encodeURIComponent(name)}`;
      await absentIsFine(socket.call({ method: 'DELETE', path, query: { force: false }, deadlineMs: 120_000, signal }));
    },

    pull: async (options: PullOptions): Promise<void> => {
      const answer = await socket.stream({
        method: 'POST',
        path: '/images/pull',
        query: { reference: options.image, tlsVerify: !options.insecure, policy: 'missing' },
        headers: authHeader(options.credentials),
        // The engine answers before the first byte is fetched; the caller's signal bounds the rest.
        deadlineMs: 600_000,
        signal: options.signal,
      });
      await followPull(answer, options.image);
    },

    network: async (name: string): Promise<answers.InspectedNetwork | null> => {
      const call = socket.call({ method: 'GET', path: `/networks/${encodeURIComponent(name)}/json` });
      const answer = await absentIsFine(call);
      return answer === null ? null : answers.parseNetwork(answer.body);
    },

    createNetwork: async (spec: NetworkSpec): Promise<void> => {
      const body = {
        name: spec.name,
        driver: 'bridge',
        network_interface: spec.bridge,
        subnets: [{ subnet: spec.subnet, gateway: spec.gateway }],
        dns_enabled: false,
        options: { mtu: String(spec.mtu) },
      };
      await socket.call({ method: 'POST', path: '/networks/create', body });
    },

    removeNetwork: async (name: string): Promise<void> => {
      await absentIsFine(socket.call({ method: 'DELETE', path: `/networks/${encodeURIComponent(name)}` }));
    },

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

async function absentIsFine<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (isEngineStatus(error, 404)) return null;
    throw error;
  }
}

/** base64url as the engine reads it: with its padding. */
export function authHeader(credentials: RegistryCredentials | null): Record<string, string> {
  if (credentials === null) return {};
  const encoded = Buffer.from(JSON.stringify(credentials)).toString('base64');
  return { 'x-registry-auth': encoded.replaceAll('+', '-').replaceAll('/', '_') };
}

async function followPull(answer: IncomingMessage, image: string): Promise<void> {
  const outcome = { pulled: false, failure: '' };
  await eachLine(answer, (line) => {
    const progress = answers.parsePullProgress(line);
    outcome.failure = progress.error ?? outcome.failure;
    outcome.pulled ||= progress.id !== undefined;
  });
  if (outcome.failure !== '') throw new EngineError('pull_failed', outcome.failure);
  if (!outcome.pulled) throw new EngineError('pull_failed', `The pull of ${image} ended without an image.`);
}
