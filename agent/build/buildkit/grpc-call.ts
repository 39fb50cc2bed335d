/** Calls of the daemon's services over one grpc-js channel, with messages made and read by protobuf-es. */
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import type {
  Client} from '@grpc/grpc-js';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';

/** The four facts of a method that a call needs, as the generated service descriptors state them. */
export interface RpcMethod<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

export function rpcPath(method: { readonly name: string; readonly parent: { readonly typeName: string } }): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function serialize<M extends DescMessage>(schema: M): (message: MessageShape<M>) => Buffer {
  return (message) => Buffer.from(toBinary(schema, message));
}

function deserialize<M extends DescMessage>(schema: M): (bytes: Buffer) => MessageShape<M> {
  return (bytes) => fromBinary(schema, bytes);
}

export interface UnaryOptions {
  /** Milliseconds until the call fails with DEADLINE_EXCEEDED; none for a solve, which its signal ends. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Rejects with grpc-js's ServiceError. */
export function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: RpcMethod<I, O>,
  request: MessageInitShape<I>,
  options: UnaryOptions = {},
): Promise<MessageShape<O>> {
  return new Promise((resolve, reject) => {
    const deadline = options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
    const cancel = (): void => call.cancel();
    const done = (error: ServiceError | null, response?: MessageShape<O>): void => {
      options.signal?.removeEventListener('abort', cancel);
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error(`${rpcPath(method)} ended without an answer.`));
    };
    const call = client.makeUnaryRequest(
      rpcPath(method),
      serialize(method.input),
      deserialize(method.output),
      create(method.input, request),
      deadline,
      done,
    );
    options.signal?.addEventListener('abort', cancel, { once: true });
    if (options.signal?.aborted === true) cancel();
  });
}

export function callServerStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: RpcMethod<I, O>,
  request: MessageInitShape<I>,
): ClientReadableStream<MessageShape<O>> {
  return client.makeServerStreamRequest(
    rpcPath(method),
    serialize(method.input),
    deserialize(method.output),
    create(method.input, request),
  );
}

/** A stream of raw messages in both directions: the caller encodes them itself. */
export function callRawStream(client: Client, path: string, metadata: Metadata): ClientDuplexStream<Buffer, Buffer> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return client.makeBidiStreamRequest(path, asIs, asIs, metadata);
}
