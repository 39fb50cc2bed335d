/** The connection that a session runs over: bytes carried in the messages of the daemon's Session stream. */
import { Duplex } from 'node:stream';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { tag, writeVarint } from './wire.ts';

const dataTag = tag(1, 'bytes');

/** Bytes that may wait in the outer stream before the inner connection has to. */
const pendingLimit = 1024 * 1024;

/** The daemon refuses messages above 16 MiB. */
const messageLimit = 4 * 1024 * 1024;

/** One message with the chunks one after another: `bytes data = 1`. */
export function encodeBytesMessage(chunks: readonly Buffer[], length: number): Buffer {
  const message = Buffer.allocUnsafe(length + 6);
  message[0] = dataTag;
  let at = writeVarint(message, 1, length);
  for (const chunk of chunks) at += chunk.copy(message, at);
  return message.subarray(0, at);
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
 * Wraps the stream. Writes are gathered (HTTP/2 writes a header and a slice of data at a time, a message for each would be
 * four times slower) and acknowledged before they are sent as long as little waits.
 */
export function tunnel(stream: ClientDuplexStream<Buffer, Buffer>): Duplex {
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
    for (const group of groups(chunks)) {
      pending += group.length;
      stream.write(encodeBytesMessage(group.chunks, group.length), () => sent(group.length));
    }
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
      stream.cancel();
      done(error);
    },
  });
  stream.on('data', (message: Buffer) => {
    if (!duplex.push(decodeBytesMessage(message))) stream.pause();
  });
  stream.on('end', () => duplex.push(null));
  return duplex;
}
