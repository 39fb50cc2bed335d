import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { callServerStream, callUnary } from './grpc-call.ts';
import { connectGrpc, type GrpcConnection } from './grpc-client.ts';
import { frame } from './grpc-frame.ts';
import { GrpcError, grpcStatus } from './grpc-status.ts';
import { Health, HealthCheckResponseSchema } from './gen/health_pb.ts';
import { create, toBinary } from '@bufbuild/protobuf';

const answer = frame(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: 1 })));
const { check } = Health.method;
const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

type Serve = (stream: ServerHttp2Stream) => void;

async function listen(path: string, serve: Serve): Promise<Http2Server> {
  const sessions = new Set<{ destroy(): void }>();
  const server = createHttp2Server();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    serve(stream);
  });
  server.listen(path);
  await once(server, 'listening');
  open.push({
    close: () => {
      server.close();
      for (const session of sessions) session.destroy();
    },
  });
  return server;
}

function connect(path: string): GrpcConnection {
  const connection = connectGrpc(path);
  open.push(connection);
  return connection;
}

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-grpc-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'socket');
}

function respond(stream: ServerHttp2Stream, trailers: Record<string, string>, ...frames: Buffer[]): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const bytes of frames) stream.write(bytes);
  stream.end();
}

async function served(serve: Serve): Promise<GrpcConnection> {
  const path = socketPath();
  await listen(path, serve);
  return connect(path);
}

async function errorOf(call: Promise<unknown>): Promise<GrpcError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof GrpcError) return error;
    throw error;
  }
  throw new Error('The call succeeded.');
}

describe('a call', () => {
  it('brings back the answer', async () => {
    const connection = await served((stream) => respond(stream, { 'grpc-status': '0' }, answer));
    expect((await callUnary(connection, check, {})).status).toBe(1);
  });

  it('brings back every message of a stream', async () => {
    const connection = await served((stream) => respond(stream, { 'grpc-status': '0' }, answer, answer, answer));
    const statuses: number[] = [];
    for await (const { status } of callServerStream(connection, check, {}).messages) statuses.push(status);
    expect(statuses).toEqual([1, 1, 1]);
  });

  it('fails with the status, message and details of the trailers', async () => {
    const trailers = { 'grpc-status': '5', 'grpc-message': 'nicht%20da: 100%', 'grpc-status-details-bin': 'AQID' };
    const connection = await served((stream) => respond(stream, trailers));
    const error = await errorOf(callUnary(connection, check, {}));
    expect([error.code, error.message, [...(error.details ?? [])]]).toEqual([5, 'nicht%20da: 100%', [1, 2, 3]]);
  });

  it('fails with a status that comes at once, in the headers', async () => {
    const connection = await served((stream) => {
      stream.respond({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'unknown%20method' }, { endStream: true });
    });
    expect(await errorOf(callUnary(connection, check, {}))).toMatchObject({ code: 12, message: 'unknown method' });
  });

  it('fails when there is no answer in an OK', async () => {
    const connection = await served((stream) => respond(stream, { 'grpc-status': '0' }));
    expect((await errorOf(callUnary(connection, check, {}))).code).toBe(grpcStatus.internal);
  });

  it('fails as INTERNAL when the server breaks it off', async () => {
    const connection = await served((stream) => stream.close(2));
    expect((await errorOf(callUnary(connection, check, {}))).code).toBe(grpcStatus.internal);
  });

  it('fails when the time is up', async () => {
    const connection = await served(() => undefined);
    const error = await errorOf(callUnary(connection, check, {}, { timeoutMs: 30 }));
    expect(error.code).toBe(grpcStatus.deadlineExceeded);
  });

  it('tells the server that it is cancelled', async () => {
    const cancel = new AbortController();
    const { promise: told, resolve } = deferred<number>();
    const connection = await served((stream) => {
      stream.on('close', () => resolve(stream.rstCode));
      cancel.abort();
    });
    const error = await errorOf(callUnary(connection, check, {}, { signal: cancel.signal }));
    expect(error.code).toBe(grpcStatus.cancelled);
    expect(await told).toBe(8);
  });
});

describe('a connection', () => {
  it('that cannot be made fails the call as UNAVAILABLE', async () => {
    const error = await errorOf(callUnary(connect(socketPath()), check, {}));
    expect(error.code).toBe(grpcStatus.unavailable);
    expect(error.message).toContain('ENOENT');
  });

  it('that is lost fails every call on it, and the next call makes a new one', async () => {
    const path = socketPath();
    const waiting: ServerHttp2Stream[] = [];
    await listen(path, (stream) => {
      waiting.push(stream);
      if (waiting.length === 2) stream.session?.destroy();
      if (waiting.length > 2) respond(stream, { 'grpc-status': '0' }, answer);
    });
    const connection = connect(path);
    const calls = [callUnary(connection, check, {}), callUnary(connection, check, {})];
    const errors = await Promise.all(calls.map(errorOf));
    expect(errors.map(({ code }) => code)).toEqual([grpcStatus.unavailable, grpcStatus.unavailable]);
    expect((await callUnary(connection, check, {})).status).toBe(1);
  });

  it('announces how large a header it can take', async () => {
    const { promise: announced, resolve } = deferred<number | undefined>();
    const connection = await served((stream) => {
      resolve(stream.session?.remoteSettings.maxHeaderListSize);
      respond(stream, { 'grpc-status': '0' }, answer);
    });
    await callUnary(connection, check, {});
    expect(await announced).toBeLessThan(64 * 1024);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
