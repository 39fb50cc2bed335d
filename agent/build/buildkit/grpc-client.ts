/**
 * The gRPC client of a daemon behind a unix socket, on node:http2.
 *
 * Not grpc-js, because an error that BuildKit explains with a large Dockerfile does not fit the header Node's HTTP/2 can
 * take: it breaks the whole connection, with every build on it. Only a limit announced when the connection is made keeps
 * the daemon from sending it, and grpc-js has no setting for that.
 */
import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { messagesOf } from './grpc-frame.ts';
import { GrpcError, grpcStatus, type GrpcStatus } from './grpc-status.ts';

/** Node can read no header above 64 KiB; the daemon then ends the call with INTERNAL, and its error is fetched otherwise. */
const maxHeaderListSize = 60_000;

/** What a call may have received and not read. */
const receiveWindow = 1024 * 1024;

export interface GrpcCallOptions {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Milliseconds until the call fails with DEADLINE_EXCEEDED. */
  readonly timeoutMs?: number;
}

/** One call. The stream takes and gives frames; the status comes after everything else. */
export interface GrpcCall {
  readonly stream: ClientHttp2Stream;
  readonly messages: AsyncIterable<Buffer>;
  /** Resolves when the call ended with OK, rejects with GrpcError otherwise. */
  readonly ended: Promise<void>;
  cancel(): void;
}

export interface GrpcConnection {
  call(path: string, options?: GrpcCallOptions): GrpcCall;
  /** Ends what is under way. */
  close(): void;
}

/** What a reset says. Without an error code a stream only ends so when its connection does. */
const resetCodes: ReadonlyMap<number, GrpcStatus> = new Map([
  [constants.NGHTTP2_NO_ERROR, grpcStatus.unavailable],
  [constants.NGHTTP2_CANCEL, grpcStatus.cancelled],
  [constants.NGHTTP2_REFUSED_STREAM, grpcStatus.unavailable],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, grpcStatus.resourceExhausted],
]);

function decodedMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded after all: the text as it came is the message.
    return text;
  }
}

function single(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

function statusError(headers: IncomingHttpHeaders): GrpcError | null {
  const code = Number(single(headers, 'grpc-status'));
  if (code === grpcStatus.ok) return null;
  const details = single(headers, 'grpc-status-details-bin');
  return new GrpcError(code, decodedMessage(single(headers, 'grpc-message')), {
    details: details === '' ? null : Buffer.from(details, 'base64'),
  });
}

interface Ending {
  /** The headers that hold the status. */
  status: IncomingHttpHeaders | null;
  timedOut: boolean;
  error: Error | null;
}

function outcome(session: ClientHttp2Session, stream: ClientHttp2Stream, ending: Ending): GrpcError | null {
  if (ending.status !== null) return statusError(ending.status);
  if (ending.timedOut) return new GrpcError(grpcStatus.deadlineExceeded, 'no answer in time');
  if (session.destroyed) {
    const reason = ending.error?.message ?? 'the connection was closed';
    return new GrpcError(grpcStatus.unavailable, reason, { cause: ending.error });
  }
  const code = resetCodes.get(stream.rstCode) ?? grpcStatus.internal;
  return new GrpcError(code, `the stream was reset with HTTP/2 code ${stream.rstCode}`);
}

function settlement(
  session: ClientHttp2Session,
  stream: ClientHttp2Stream,
  timeoutMs: number | undefined,
): Promise<void> {
  const ending: Ending = { status: null, timedOut: false, error: null };
  const takeStatus = (headers: IncomingHttpHeaders): void => {
    if (headers['grpc-status'] !== undefined) ending.status = headers;
  };
  const expire = (): void => {
    ending.timedOut = true;
    stream.close(constants.NGHTTP2_CANCEL);
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  stream.on('response', takeStatus);
  stream.on('trailers', takeStatus);
  stream.on('error', (error: Error) => (ending.error = error));
  return new Promise((resolve, reject) => {
    stream.on('close', () => {
      clearTimeout(timer);
      const error = outcome(session, stream, ending);
      if (error === null) resolve();
      else reject(error);
    });
  });
}

function startCall(session: ClientHttp2Session, path: string, options: GrpcCallOptions): GrpcCall {
  const stream = session.request({
    ...(options.headers as Record<string, string | string[]> | undefined),
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const ended = settlement(session, stream, options.timeoutMs);
  // Whoever reads a call's messages may not wait for its end; then the end is of no interest.
  ended.catch(() => undefined);
  return {
    stream,
    messages: messagesOf(stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>),
    ended,
    cancel: () => stream.close(constants.NGHTTP2_CANCEL),
  };
}

function openConnection(path: string): ClientHttp2Session {
  const session = connectHttp2('http://localhost', {
    createConnection: () => connectSocket({ path }),
    settings: { maxHeaderListSize, initialWindowSize: receiveWindow, enablePush: false },
  });
  // Each call on the session is told of the error; the session has nobody else to tell.
  session.on('error', () => session.destroy());
  return session;
}

/** `path` is the socket's. Connects with the first call, and again with the first call after the connection was lost. */
export function connectGrpc(path: string): GrpcConnection {
  let session: ClientHttp2Session | null = null;
  return {
    call(method, options = {}) {
      if (session === null || session.closed || session.destroyed) session = openConnection(path);
      return startCall(session, method, options);
    },
    close() {
      session?.destroy();
    },
  };
}
