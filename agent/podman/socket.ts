/** HTTP over the engine's unix socket: kept-alive connections, a deadline on every call, errors as EngineError. */
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { messageOf } from '../../platform/errors/classify.ts';
import { withDeadline } from '../process/deadline.ts';
import { EngineError } from './errors.ts';

export interface EngineRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Under `/v4.0.0/libpod`, with a leading slash, already encoded. */
  path: string;
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  deadlineMs?: number;
  signal?: AbortSignal | undefined;
}

export interface EngineSocket {
  /** The whole answer as text; statuses of 300 and more (304 apart) are errors. */
  readonly call: (request: EngineRequest) => Promise<{ status: number; body: string }>;
  /** The answer as it comes; the deadline covers only its headers. */
  readonly stream: (request: EngineRequest) => Promise<IncomingMessage>;
  readonly close: () => void;
}

/** The oldest API version this agent speaks; Podman 4 and 5 serve it. */
const apiVersion = 'v4.0.0';
const defaultDeadlineMs = 10_000;
/** Each container of a node may be waited for to stop; whatever else there is to ask must not wait for those. */
const callsAtOnce = 1_024;

export function engineSocket(socketPath: string): EngineSocket {
  const agent = new Agent({ keepAlive: true, maxSockets: callsAtOnce });
  const send = (options: EngineRequest, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const body = options.body === undefined ? undefined : JSON.stringify(options.body);
      const outgoing = request(
        {
          socketPath,
          agent,
          signal,
          method: options.method,
          path: `/${apiVersion}/libpod${options.path}${queryOf(options.query)}`,
          headers: {
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
            ...options.headers,
          },
        },
        resolve,
      );
      outgoing.on('error', (cause) => {
        reject(signal.aborted ? abortReason(signal) : unreachable(options, cause));
      });
      outgoing.end(body);
    });

  const deadlineOf = (options: EngineRequest) => ({
    what: `The container engine's ${options.method} ${options.path}`,
    milliseconds: options.deadlineMs ?? defaultDeadlineMs,
    signal: options.signal,
  });

  return {
    call: (options) =>
      withDeadline(deadlineOf(options), async (signal) => {
        const answer = await send(options, signal);
        const body = await text(answer).catch((cause: unknown) => {
          throw signal.aborted ? abortReason(signal) : unreachable(options, cause);
        });
        const status = answer.statusCode ?? 0;
        if (status >= 300 && status !== 304) throw refused(options, status, body);
        return { status, body };
      }),
    stream: async (options) => {
      const answer = await withDeadline(deadlineOf({ ...options, signal: undefined }), (signal) =>
        send(options, options.signal === undefined ? signal : AbortSignal.any([signal, options.signal])),
      );
      const status = answer.statusCode ?? 0;
      if (status >= 300) throw refused(options, status, await text(answer));
      return answer;
    },
    close: () => {
      agent.destroy();
    },
  };
}

function queryOf(query: EngineRequest['query']): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('The call was cancelled.');
}

function unreachable(options: EngineRequest, cause: unknown): EngineError {
  const why = messageOf(cause);
  return new EngineError('engine_unreachable', `The container engine did not answer ${options.path}: ${why}`, {
    cause,
  });
}

function refused(options: EngineRequest, status: number, body: string): EngineError {
  return new EngineError('engine_refused', `${options.method} ${options.path}: ${sentenceOf(body)}`, { status });
}

/** Podman's error body is `{ cause, message, response }`; anything else is shown as it is. */
function sentenceOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message);
    return body;
  } catch {
    return body.slice(0, 500);
  }
}
