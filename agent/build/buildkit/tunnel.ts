/** The connection that a session runs over: bytes carried in the messages of the daemon's Session stream. */
import { Duplex } from 'node:stream';
import type { GrpcCall } from './grpc-client.ts';
import { frameHeaderLength, frameReader, writeFrameHeader } from './grpc-frame.ts';
import { tag, varintLength, writeVarint } from './wire.ts';

const dataTag = tag(1, 'bytes');

/** Bytes that may wait in the outer stream before the inner connection has to. */
const pendingLimit = 1024 * 1024;

/** The daemon refuses messages above 16 MiB. */
const messageLimit = 4 * 1024 * 1024;

/** The frame of one message, `bytes data = 1`, up to where its data begins. */
export function bytesMessageHeader(length: number): Buffer {
  const messageLength = 1 + varintLength(length) + length;
  const header = Buffer.allocUnsafe(frameHeaderLength + messageLength - length);
  writeFrameHeader(header, 0, messageLength);
  header[frameHeaderLength] = dataTag;
  writeVarint(header, frameHeaderLength + 1, length);
  return header;
}

/** The data of one message; fields that are unknown do not occur in this message. */
export function decodeBytesMessage(message: Buffer): Buffer {
  if (message[0] !== dataTag) return Buffer.alloc(0);
  let at = 1;
  while (((message[at] ?? 0) & 0x80) !== 0) at++;
  return message.subarray(at + 1);
}

/** Groups chunks so that no group passes the limit by more than one chunk. */
function* groups(chunks: readonly Buffer[]): Generator<{ chunks: readonly Buffer[]; length: number }> {
  let group: Buffer[] = [];
  let length = 0;
  for (const chunk of chunks) {
    group.push(chunk);
    length += chunk.length;
    if (length < messageLimit) continue;
    yield { chunks: group, length };
    group = [];
    length = 0;
  }
  if (length > 0) yield { chunks: group, length };
}

/**
 * Wraps the call. Writes are gathered (HTTP/2 writes a header and a slice of data at a time, a message for each would be
 * four times slower) and acknowledged before they are sent as long as little waits.
 */
export function tunnel(call: GrpcCall): Duplex {
  const { stream } = call;
  let pending = 0;
  let blocked: (() => void) | null = null;
  const sent = (length: number): void => {
    pending -= length;
    if (blocked === null || pending >= pendingLimit) return;
    const resume = blocked;
    blocked = null;
    resume();
  };
  const send = (chunks: readonly Buffer[], done: () => void): void => {
    stream.cork();
    for (const group of groups(chunks)) {
      pending += group.length;
      stream.write(bytesMessageHeader(group.length));
      const last = group.chunks.length - 1;
      group.chunks.forEach((chunk, index) => {
        if (index < last) stream.write(chunk);
        else stream.write(chunk, () => sent(group.length));
      });
    }
    stream.uncork();
    if (pending < pendingLimit) done();
    else blocked = done;
  };
  const duplex = new Duplex({
    read: () => void stream.resume(),
    write: (chunk: Buffer, _encoding, done) => send([chunk], done),
    writev: (chunks, done) =>
      send(
        chunks.map(({ chunk }) => chunk as Buffer),
        done,
      ),
    final: (done) => {
      stream.end();
      done();
    },
    destroy: (error, done) => {
      call.cancel();
      done(error);
    },
  });
  const reader = frameReader();
  stream.on('data', (chunk: Buffer) => {
    for (const message of reader.push(chunk)) {
      if (!duplex.push(decodeBytesMessage(message))) stream.pause();
    }
  });
  stream.on('end', () => duplex.push(null));
  stream.on('close', () => duplex.destroy());
  return duplex;
}
