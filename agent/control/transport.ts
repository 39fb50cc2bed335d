/** HTTP to the control plane: kept-alive connections, signed requests, deadlines, errors by code, answers parsed at the edge. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { field } from '../../platform/errors/field.ts';
import { withDeadline } from '../process/deadline.ts';
import { ControlRefused, ControlUnreachable } from './errors.ts';

export interface ControlRequest {
  method: 'GET' | 'POST';
  /** From the root, with its query: `/api/v1/agent/status`. */
  path: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

export interface ControlAnswer {
  status: number;
  etag: string | null;
  body: string;
}

/** The headers that sign one request. */
export type Sign = (request: { method: string; url: URL; body: Buffer | null }) => Record<string, string>;

export interface Transport {
  /** 2xx and 304 are answers, everything else is an error. */
  readonly call: (request: ControlRequest) => Promise<ControlAnswer>;
  /** This machine's address on the last connection; null before one, or when it is a loopback. */
  readonly localAddress: () => string | null;
  readonly close: () => void;
}

export function controlTransport(baseUrl: string, sign: Sign): Transport {
  const secure = new URL(baseUrl).protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  let localAddress: string | null = null;

  const send = (options: ControlRequest, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const url = new URL(options.path, baseUrl);
      const body = options.body === undefined ? null : Buffer.from(JSON.stringify(options.body));
      const content = body === null ? {} : { 'content-type': 'application/json', 'content-length': body.length };
      const headers = { ...content, ...options.headers, ...sign({ method: options.method, url, body }) };
      const outgoing = (secure ? httpsRequest : httpRequest)(
        url,
        { method: options.method, headers, agent, signal },
        resolve,
      );
      outgoing.once('socket', (socket) => {
        const note = (): void => {
          localAddress = routable(socket.localAddress) ?? localAddress;
        };
        if (socket.connecting) socket.once('connect', note);
        else note();
      });
      outgoing.once('error', reject);
      outgoing.end(body ?? undefined);
    });

  return {
    call: async (options) => {
      const what = `${options.method} ${options.path}`;
      try {
        return await withDeadline(
          { what, milliseconds: options.deadlineMs, signal: options.signal },
          async (signal) => {
            const answer = await send(options, signal);
            return answered(answer, await text(answer));
          },
        );
      } catch (error) {
        if (error instanceof ControlRefused || options.signal?.aborted === true) throw error;
        throw new ControlUnreachable(baseUrl, error);
      }
    },
    localAddress: () => localAddress,
    close: () => {
      agent.destroy();
    },
  };
}

function answered(answer: IncomingMessage, body: string): ControlAnswer {
  const status = answer.statusCode ?? 0;
  if ((status >= 200 && status < 300) || status === 304) return { status, etag: answer.headers.etag ?? null, body };
  const { code, message } = refusalOf(body);
  const skew = code === 'signature_stale' || code === 'signature_clock_ahead' ? skewSentence(answer.headers.date) : '';
  throw new ControlRefused(status, code, `${message ?? `The control plane answered ${status}.`}${skew}`);
}

/** By how much this node's clock is wrong, as far as the answer's own date tells. */
function skewSentence(date: string | undefined): string {
  const seconds = Math.round((Date.now() - Date.parse(date ?? '')) / 1_000);
  if (Number.isNaN(seconds) || seconds === 0) return '';
  const direction = seconds > 0 ? 'ahead of' : 'behind';
  return ` This node's clock is ${Math.abs(seconds)} s ${direction} the control plane's; let NTP set it.`;
}

/** core/contract/error.ts, read leniently: what stands between may answer too. */
function refusalOf(body: string): { code: ApiErrorCode | null; message: string | null } {
  const error = field(jsonOrNull(body), 'error');
  const code = field(error, 'code');
  const [message, hint] = [field(error, 'message'), field(error, 'hint')];
  const sentences = [message, hint].filter((one) => typeof one === 'string');
  return {
    code: typeof code === 'string' && isApiCode(code) ? code : null,
    message: sentences.length === 0 ? null : sentences.join(' '),
  };
}

function isApiCode(code: string): code is ApiErrorCode {
  return Object.hasOwn(apiErrors, code);
}

function jsonOrNull(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function routable(address: string | undefined): string | null {
  if (address === undefined) return null;
  const plain = address.replace(/^::ffff:/, '');
  return plain.startsWith('127.') || plain === '::1' ? null : plain;
}

/** A parser for one kind of answer; what the contract does not allow is an error of the control plane, worth another try. */
export function answerParser<T extends TSchema>(what: string, schema: T): (body: string) => Static<T> {
  // Compiled when it is first needed: an agent that never builds never compiles a claim.
  let validator: Validator | null = null;
  return (body) => {
    validator ??= Compile(schema);
    const value = jsonOrNull(body);
    if (validator.Check(value)) return value as Static<T>;
    const [first] = validator.Errors(value);
    const where = first === undefined ? '' : ` (${first.instancePath} ${first.message})`;
    throw new ControlRefused(
      502,
      null,
      `The control plane's answer for ${what} is not understood by this agent${where}.`,
    );
  };
}
