/** The control plane's API as the CLI calls it. Answers are checked once, here. */
import Value from 'typebox/value';
import type { Static, TSchema } from 'typebox';
import { ErrorAnswer } from '../core/contract/error.ts';

export interface Connection {
  /** Base URL of the control plane. */
  url: string;
  token: string;
}

/** What the control plane said no to, in its own words. */
export class RefusedError extends Error {
  readonly code: string;
  readonly hint: string | null;

  constructor(answer: ErrorAnswer) {
    super(answer.error.message);
    this.code = answer.error.code;
    this.hint = answer.error.hint;
  }
}

/** The control plane does not answer, or not as one. */
export class UnreachableError extends Error {}

export interface Call<S extends TSchema> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: object;
  answer: S;
}

export interface ApiClient {
  call<S extends TSchema>(call: Call<S>): Promise<Static<S>>;
}

const deadlineMs = 30_000;

async function send(connection: Connection, call: Call<TSchema>): Promise<Response> {
  try {
    return await fetch(new URL(call.path, connection.url), {
      method: call.method,
      headers: {
        authorization: `Bearer ${connection.token}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: AbortSignal.timeout(deadlineMs),
    });
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new UnreachableError(
      `No control plane answers at ${connection.url} (${reason}). Is landfall up or landfall server running there? Another address: --url or LANDFALL_URL.`,
    );
  }
}

function parse<S extends TSchema>(connection: Connection, call: Call<S>, body: unknown): Static<S> {
  if (Value.Check(call.answer, body)) return body;
  throw new UnreachableError(
    `${connection.url} answers, but not as this version of landfall expects at ${call.path}. Do CLI and server differ in version?`,
  );
}

/** Calls throw RefusedError or UnreachableError. */
export function apiClient(connection: Connection): ApiClient {
  return {
    async call(call) {
      const response = await send(connection, call);
      const text = await response.text();
      const body: unknown = text === '' ? null : parseJson(text);
      if (!response.ok && Value.Check(ErrorAnswer, body)) throw new RefusedError(body);
      return parse(connection, call, response.ok ? body : undefined);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
