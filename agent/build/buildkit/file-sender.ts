/** Sends the bytes of context files as they are asked for: small ones many to a write, a few large ones side by side. */
import { closeSync, read as readWithCallback, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { changedWhileSent, openContextFile } from './context-file.ts';
import { FrameBatch } from './frame-batch.ts';
import type { StreamCall } from './grpc-server.ts';
import { dataHeaderRoom, writeDataHeader } from './packet.ts';

const read = promisify(readWithCallback);

/** Files up to this size are read synchronously: three trips through the thread pool cost more than the read. */
const smallFile = 32 * 1024;

/** Bytes of a large file in one packet. */
const chunkLength = 256 * 1024;

/** Large files that are read at the same time. */
const parallelReads = 4;

export interface WantedFile {
  readonly id: number;
  /** Byte path relative to the root. */
  readonly path: string;
  /** The size that was announced; another one is an error. */
  readonly size: number;
}

interface Target {
  readonly call: StreamCall;
  /** Byte path of the root. */
  readonly root: string;
}

function readFully(descriptor: number, buffer: Buffer, at: number, length: number): number {
  let done = 0;
  for (let bytes = -1; bytes !== 0 && done < length; done += bytes) {
    bytes = readSync(descriptor, buffer, at + done, length - done, null);
  }
  return done;
}

/** The packet that says a file is complete; returns the position after it. */
function writeCompletion(buffer: Buffer, at: number, id: number): number {
  const end = at + dataHeaderRoom;
  const start = writeDataHeader(buffer, end, id, 0);
  buffer.copyWithin(at, start, end);
  return at + end - start;
}

/** Both packets of a small file. One byte more than announced is asked for, to see that the file has not grown. */
function writeSmallFile(root: string, file: WantedFile, buffer: Buffer, at: number): number {
  const descriptor = openContextFile(root, file.path);
  try {
    const dataAt = at + dataHeaderRoom;
    const length = readFully(descriptor, buffer, dataAt, file.size + 1);
    if (length !== file.size) throw changedWhileSent(file.path);
    const start = writeDataHeader(buffer, dataAt, file.id, length);
    buffer.copyWithin(at, start, dataAt + length);
    return writeCompletion(buffer, at + dataAt + length - start, file.id);
  } finally {
    closeSync(descriptor);
  }
}

function writeFile(root: string, file: WantedFile, buffer: Buffer, at: number): number {
  return file.size === 0 ? writeCompletion(buffer, at, file.id) : writeSmallFile(root, file, buffer, at);
}

async function sendChunks(target: Target, file: WantedFile, descriptor: number): Promise<void> {
  let sent = 0;
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(dataHeaderRoom + chunkLength);
    const { bytesRead } = await read(descriptor, buffer, dataHeaderRoom, chunkLength, null);
    sent += bytesRead;
    if (sent > file.size || (bytesRead === 0 && sent !== file.size)) throw changedWhileSent(file.path);
    if (bytesRead === 0) return;
    const start = writeDataHeader(buffer, dataHeaderRoom, file.id, bytesRead);
    await target.call.write(buffer.subarray(start, dataHeaderRoom + bytesRead));
  }
}

async function sendLargeFile(target: Target, file: WantedFile): Promise<void> {
  const descriptor = openContextFile(target.root, file.path);
  try {
    await sendChunks(target, file, descriptor);
  } finally {
    closeSync(descriptor);
  }
  const completion = Buffer.allocUnsafe(dataHeaderRoom);
  await target.call.write(completion.subarray(0, writeCompletion(completion, 0, file.id)));
}

async function sendSmallFiles(target: Target, queue: WantedFile[]): Promise<void> {
  const batch = new FrameBatch(target.call);
  while (queue.length > 0) {
    for (const file of queue.splice(0)) {
      batch.add(2 * dataHeaderRoom + file.size + 1, (buffer, at) => writeFile(target.root, file, buffer, at));
      if (!batch.isFull) continue;
      await batch.flush();
      // Reading was synchronous; other work of the process gets its turn.
      await nextTurn();
    }
    await batch.flush();
  }
}

export interface FileSender {
  request(file: WantedFile): void;
}

/** `fail` is called with the first error of every file that could not be sent. */
export function fileSender(target: Target, fail: (error: unknown) => void): FileSender {
  const small: WantedFile[] = [];
  const large: WantedFile[] = [];
  let sendingSmall = false;
  let readers = 0;

  const startSmall = async (): Promise<void> => {
    sendingSmall = true;
    // Requests that arrive together are answered together.
    await nextTurn();
    await sendSmallFiles(target, small).catch(fail);
    sendingSmall = false;
  };
  const startLarge = async (): Promise<void> => {
    readers++;
    for (let file = large.shift(); file !== undefined; file = large.shift()) {
      await sendLargeFile(target, file).catch(fail);
    }
    readers--;
  };
  return {
    request(file) {
      if (file.size <= smallFile) {
        small.push(file);
        if (!sendingSmall) void startSmall();
      } else {
        large.push(file);
        if (readers < parallelReads) void startLarge();
      }
    },
  };
}
