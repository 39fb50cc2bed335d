/**
 * The packets of a context transfer as gRPC frames, encoded straight into the buffer that is written: a context has tens
 * of thousands of them. A test holds this against the generated encoder.
 */
import type { ContextEntry } from '../context/walk.ts';
import { frameHeaderLength, writeFrameHeader } from './grpc-frame.ts';
import { maxVarint, tag, varintLength, writeInt64, writeVarint } from './wire.ts';

export const packetType = { stat: 0, request: 1, data: 2, finished: 3, error: 4 } as const;

/** Room that a data packet needs in front of its bytes. */
export const dataHeaderRoom = frameHeaderLength + 2 + 2 * (1 + maxVarint);

function writeBytes(buffer: Buffer, at: number, field: number, bytes: string): number {
  if (bytes === '') return at;
  buffer[at] = tag(field, 'bytes');
  const start = writeVarint(buffer, at + 1, bytes.length);
  return start + buffer.write(bytes, start, 'latin1');
}

function writeNumber(buffer: Buffer, at: number, field: number, value: number): number {
  if (value === 0) return at;
  buffer[at] = tag(field, 'varint');
  return writeVarint(buffer, at + 1, value);
}

/** User and group (fields 3 and 4) stay 0: who owns a checkout says nothing about an image. */
function writeStat(buffer: Buffer, at: number, entry: ContextEntry): number {
  let position = writeBytes(buffer, at, 1, entry.path);
  position = writeNumber(buffer, position, 2, entry.mode);
  position = writeNumber(buffer, position, 5, entry.size);
  if (entry.modTime !== 0n) {
    buffer[position] = tag(6, 'varint');
    position = writeInt64(buffer, position + 1, entry.modTime);
  }
  position = writeBytes(buffer, position, 7, entry.linkname);
  position = writeNumber(buffer, position, 8, entry.devMajor);
  return writeNumber(buffer, position, 9, entry.devMinor);
}

/** The most bytes that `writeStatFrame` can take. */
export function statFrameBound(entry: ContextEntry): number {
  return frameHeaderLength + 9 * (1 + maxVarint) + entry.path.length + entry.linkname.length;
}

/** Writes a STAT packet; returns the position after it. */
export function writeStatFrame(buffer: Buffer, at: number, entry: ContextEntry): number {
  // The stat's length is a varint before the stat: one byte is assumed, and the stat moved when it takes more.
  const messageAt = at + frameHeaderLength;
  const assumed = messageAt + 2;
  const end = writeStat(buffer, assumed, entry);
  const length = end - assumed;
  const extra = varintLength(length) - 1;
  if (extra > 0) buffer.copyWithin(assumed + extra, assumed, end);
  buffer[messageAt] = tag(2, 'bytes');
  writeVarint(buffer, messageAt + 1, length);
  writeFrameHeader(buffer, at, 2 + extra + length);
  return end + extra;
}

/**
 * Writes the header of a DATA packet so that it ends at `dataAt`, where its `length` bytes already lie; returns where the
 * frame begins. Length 0 says that the file is complete.
 */
export function writeDataHeader(buffer: Buffer, dataAt: number, id: number, length: number): number {
  const idLength = id === 0 ? 0 : 1 + varintLength(id);
  const dataLength = length === 0 ? 0 : 1 + varintLength(length);
  const start = dataAt - frameHeaderLength - 2 - idLength - dataLength;
  let position = start + frameHeaderLength;
  buffer[position++] = tag(1, 'varint');
  buffer[position++] = packetType.data;
  position = writeNumber(buffer, position, 3, id);
  if (length > 0) {
    buffer[position++] = tag(4, 'bytes');
    writeVarint(buffer, position, length);
  }
  writeFrameHeader(buffer, start, 2 + idLength + dataLength + length);
  return start;
}

/** The empty STAT packet after the last entry. */
export function endOfStats(): Buffer {
  return Buffer.alloc(frameHeaderLength);
}

export function finishedFrame(): Buffer {
  return Buffer.from([0, 0, 0, 0, 2, tag(1, 'varint'), packetType.finished]);
}

export function errorFrame(reason: string): Buffer {
  const text = Buffer.from(reason, 'utf8');
  const header = Buffer.alloc(dataHeaderRoom);
  let position = frameHeaderLength;
  header[position++] = tag(1, 'varint');
  header[position++] = packetType.error;
  header[position++] = tag(4, 'bytes');
  position = writeVarint(header, position, text.length);
  writeFrameHeader(header, 0, position - frameHeaderLength + text.length);
  return Buffer.concat([header.subarray(0, position), text]);
}
