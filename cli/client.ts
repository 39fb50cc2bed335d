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
  /** Of HTTP. */
  readonly status: number;

  constructor(answer: ErrorAnswer, status: number) {
    super(answer.error.message);
    this.status = status;
    this.code = answer.error.code;
    this.hint = answer.error.hint;
  }
}

/** The control plane does not answer, or not as one. */
export class UnreachableError extends Error {}

/** Something answers, and not as this CLI expects: asking again does not help. */
export class MismatchError extends UnreachableError {}

/** Whether the same call may succeed later: the control plane is away, or is being started again. */
export function isPassing(error: unknown): error is UnreachableError | RefusedError {
  if (error instanceof RefusedError) return error.status >= 500;
  return error instanceof UnreachableError && !(error instanceof MismatchError);
}

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

interface Answer {
  status: number;
  text: string;
}

async function send(connection: Connection, call: Call<TSchema>): Promise<Answer> {
  try {
    const response = await fetch(new URL(call.path, connection.url), {
      method: call.method,
      headers: {
        authorization: `Bearer ${connection.token}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new UnreachableError(
      `No control plane answers at ${connection.url} (${reason}). Is landfall up or landfall server running there? Another address: --url or LANDFALL_URL.`,
    );
  }
}

function parse<S extends TSchema>(connection: Connection, call: Call<S>, { status, text }: Answer): Static<S> {
  const body: unknown = text === '' ? null : parseJson(text);
  const isOk = status >= 200 && status < 300;
  if (isOk && Value.Check(call.answer, body)) return body;
  if (!isOk && Value.Check(ErrorAnswer, body)) throw new RefusedError(body, status);
  if (status >= 500)
    throw new UnreachableError(
      `No control plane answers at ${connection.url}: what is there says ${status}. Is landfall server running behind it?`,
    );
  throw new MismatchError(
    `${connection.url} answers, but not as this version of landfall expects at ${call.path}. Do CLI and server differ in version?`,
  );
}

/** Calls throw RefusedError or UnreachableError. */
export function apiClient(connection: Connection): ApiClient {
  return {
    async call(call) {
      return parse(connection, call, await send(connection, call));
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
