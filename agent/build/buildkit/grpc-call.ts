/** Typed calls of the daemon's services: messages made and read by protobuf-es. */
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import type { GrpcCall, GrpcConnection } from './grpc-client.ts';
import { frame } from './grpc-frame.ts';
import { GrpcError, grpcStatus } from './grpc-status.ts';

/** What a call needs to know of a method, as the generated service descriptors state it. */
export interface RpcMethod<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

export function rpcPath(method: { readonly name: string; readonly parent: { readonly typeName: string } }): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function start<I extends DescMessage, O extends DescMessage>(
  connection: GrpcConnection,
  method: RpcMethod<I, O>,
  request: MessageInitShape<I>,
  timeoutMs: number | undefined,
): GrpcCall {
  const call = connection.call(rpcPath(method), timeoutMs === undefined ? {} : { timeoutMs });
  call.stream.end(frame(toBinary(method.input, create(method.input, request))));
  return call;
}

async function lastMessage(call: GrpcCall): Promise<Buffer | null> {
  let last: Buffer | null = null;
  try {
    for await (const message of call.messages) last = message;
  } catch (error) {
    // A stream that breaks says less than the status that the call ends with.
    await call.ended;
    throw error;
  }
  await call.ended;
  return last;
}

export interface UnaryOptions {
  /** Milliseconds until the call fails with DEADLINE_EXCEEDED; a solve has none, its signal ends it. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Rejects with GrpcError. */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  connection: GrpcConnection,
  method: RpcMethod<I, O>,
  request: MessageInitShape<I>,
  options: UnaryOptions = {},
): Promise<MessageShape<O>> {
  if (options.signal?.aborted === true) throw new GrpcError(grpcStatus.cancelled, 'cancelled before it began');
  const call = start(connection, method, request, options.timeoutMs);
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    const answer = await lastMessage(call);
    if (answer === null) throw new GrpcError(grpcStatus.internal, `${rpcPath(method)} ended without an answer`);
    return fromBinary(method.output, answer);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}

export interface ServerStream<M> {
  /** Throws GrpcError when the call does not end with OK. */
  readonly messages: AsyncIterable<M>;
  cancel(): void;
}

async function* decoded<O extends DescMessage>(call: GrpcCall, output: O): AsyncGenerator<MessageShape<O>> {
  try {
    for await (const message of call.messages) yield fromBinary(output, message);
  } catch (error) {
    await call.ended;
    throw error;
  }
  await call.ended;
}

export function callServerStream<I extends DescMessage, O extends DescMessage>(
  connection: GrpcConnection,
  method: RpcMethod<I, O>,
  request: MessageInitShape<I>,
  timeoutMs?: number,
): ServerStream<MessageShape<O>> {
  const call = start(connection, method, request, timeoutMs);
  return { messages: decoded(call, method.output), cancel: () => call.cancel() };
}
