/**
 * The gRPC server inside a session: the daemon calls it over the connection that the client opened.
 *
 * It stands on node:http2 because the daemon repeats a header for each pattern, and only the raw
 * headers keep them apart; joined by ", " a path that holds a comma could not be told from two.
 */
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { messageOf } from '../../../platform/errors/classify.ts';
import { frame, messagesOf } from './grpc-frame.ts';
import { GrpcError, grpcStatus, type GrpcStatus } from './grpc-status.ts';

export interface StreamCall {
  /** Every value of a request header, in order. */
  header(name: string): readonly string[];
  /** The request messages, without their frames. */
  readonly messages: AsyncIterable<Buffer>;
  /** Writes whole frames; resolves when more may be written. Rejects when the stream is closed. */
  write(frames: Buffer): Promise<void> | undefined;
}

export type Method =
  | { readonly kind: 'unary'; readonly path: string; answer(request: Buffer): Uint8Array }
  | { readonly kind: 'stream'; readonly path: string; serve(call: StreamCall): Promise<void> };

/** Bytes that may wait in a stream before its writer has to. */
const pendingLimit = 4 * 1024 * 1024;

function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1] === name);
}

function closedError(): GrpcError {
  return new GrpcError(grpcStatus.cancelled, 'the daemon closed the stream');
}

function writer(stream: ServerHttp2Stream): StreamCall['write'] {
  let pending = 0;
  let waiting: { resolve(): void; reject(error: Error): void }[] = [];
  const settle = (act: (waiter: (typeof waiting)[number]) => void): void => {
    const released = waiting;
    waiting = [];
    released.forEach(act);
  };
  stream.once('close', () => settle((waiter) => waiter.reject(closedError())));
  return (frames) => {
    if (stream.destroyed || stream.closed) return Promise.reject(closedError());
    pending += frames.length;
    stream.write(frames, () => {
      pending -= frames.length;
      if (pending < pendingLimit / 2) settle((waiter) => waiter.resolve());
    });
    if (pending < pendingLimit) return undefined;
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
}

/** Percent-encodes what gRPC does not allow in a message. */
function encodeMessage(message: string): string {
  return message.replace(/[^ -$&-~]+/gu, encodeURIComponent);
}

interface Outcome {
  readonly code: GrpcStatus;
  readonly message: string;
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof GrpcError) return { code: error.code, message: error.message };
  return { code: grpcStatus.unknown, message: messageOf(error) };
}

async function serve(method: Method, stream: ServerHttp2Stream, rawHeaders: readonly string[]): Promise<Outcome> {
  try {
    // Reading may end before the stream does, which has an answer to give yet.
    const messages = messagesOf(stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
    if (method.kind === 'stream') {
      await method.serve({ messages, write: writer(stream), header: (name) => headerValues(rawHeaders, name) });
    } else {
      const request = await messages.next();
      const answer = method.answer(request.done === true ? Buffer.alloc(0) : request.value);
      stream.write(frame(answer));
    }
    return { code: grpcStatus.ok, message: '' };
  } catch (error) {
    return outcomeOf(error);
  }
}

function isOpen(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed;
}

async function answer(stream: ServerHttp2Stream, rawHeaders: readonly string[], methods: ReadonlyMap<string, Method>) {
  const path = headerValues(rawHeaders, ':path')[0] ?? '';
  let outcome: Outcome = { code: grpcStatus.unimplemented, message: `${path} is not served in this session` };
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': String(outcome.code), 'grpc-message': encodeMessage(outcome.message) });
  });
  // The daemon may have gone before its call is looked at.
  if (!isOpen(stream)) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  const method = methods.get(path);
  if (method !== undefined) outcome = await serve(method, stream, rawHeaders);
  if (isOpen(stream)) stream.end();
}

/** Serves the methods over a connection until it closes. */
export function serveSession(connection: Duplex, methods: readonly Method[]): ServerHttp2Session {
  const byPath = new Map(methods.map((method) => [method.path, method]));
  const session = performServerHandshake(connection);
  // The raw headers come as a fourth argument, which the types leave out.
  const onStream = (
    stream: ServerHttp2Stream,
    _headers: unknown,
    _flags: unknown,
    rawHeaders: readonly string[],
  ): void => {
    // A stream that breaks rejects its writer's promises; the event alone would end the process.
    stream.on('error', () => stream.close());
    void answer(stream, rawHeaders, byPath);
  };
  session.on('stream', onStream);
  session.on('error', () => connection.destroy());
  return session;
}
